import * as z from "zod";
import { ok } from "../lib/result.ts";
import { restore, type RestoreFailure } from "../mailbox/undelete.ts";
import { NO_ACTOR } from "../model/history.ts";
import type { MailboxId } from "../model/ids.ts";
import type { RemovedFilter } from "../store/ports.ts";
import { findMessage, type Whereabouts } from "./find-message.ts";
import { withMaildrop } from "./find.ts";
import { operation } from "./operation.ts";
import { refuse, refuseWrite } from "./refusal.ts";
import type { AdminServices } from "./services.ts";

/** Brings removed messages back under new UIDLs: all of a maildrop, or those that the filter names. */
export const restoreMaildrop = operation(
  z.strictObject({
    address: z.string().max(1024),
    /** Removed at this time or later (ms since 1970). */
    since: z.int().nonnegative().optional(),
    /** Removed by this device; "": by the account's own credentials. */
    device: z.string().max(1024).optional(),
    uidl: z.string().min(1).max(256).optional(),
  }),
  ({ address, since, device, uidl }, { services }) =>
    withMaildrop(services, address, async ({ account, name, mailbox }) => {
      const { mail } = services.store;
      const message = uidl === undefined ? undefined : await findMessage(mail, mailbox, uidl);
      if (uidl !== undefined && message?.state !== "removed") {
        const code = await whyNot(services, mailbox, message);
        return refuse(code, uidl, { detail: address });
      }
      const filter: RemovedFilter = {
        ...(since === undefined ? {} : { since }),
        ...(device === undefined ? {} : { device: device.normalize("NFC").trim() }),
        ...(message === undefined ? {} : { uid: message.uid }),
      };
      const result = await restore(mail, mailbox, filter, NO_ACTOR);
      if (!result.ok) return refuseRestore(result.error, account.address);
      const { restored } = result.value;
      if (restored === 0) return refuse("nothing-to-restore", address);
      const detail = `${name}: ${restored} message(s)`;
      services.log.info("admin.change", { action: "maildrop.restore", subject: account.address, detail });
      return ok({ address: account.address, mailbox: name, restored });
    }),
);

// Whoever brought a message back and tries again is not to hear that it never was.
async function whyNot({ store }: AdminServices, mailbox: MailboxId, message: Whereabouts | undefined) {
  if (message === undefined) return "unknown-message";
  if (message.state === "here") return "message-is-here";
  const known = await store.history.entries({ mailbox, uid: message.uid, limit: 1, mostUids: 1 });
  return known.length === 0 ? "unknown-message" : "message-is-gone";
}

function refuseRestore({ reason, restored }: RestoreFailure, address: string) {
  if (restored > 0) return refuse("partly-restored", address, { detail: String(restored) });
  return reason === "no-mailbox" ? refuse("unknown-user", address) : refuseWrite(reason, address);
}
