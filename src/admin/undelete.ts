import * as z from "zod";
import { ok } from "../lib/result.ts";
import { NO_ACTOR } from "../model/history.ts";
import type { RemovedFilter } from "../store/ports.ts";
import { findMessage } from "./find-message.ts";
import { withMaildrop } from "./find.ts";
import { operation } from "./operation.ts";
import { refuse, refuseWrite } from "./refusal.ts";

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
        return message?.state === "here"
          ? refuse("message-is-here", uidl, { detail: address })
          : refuse("unknown-message", uidl, { detail: address });
      }
      const filter: RemovedFilter = {
        ...(since === undefined ? {} : { since }),
        ...(device === undefined ? {} : { device: device.normalize("NFC").trim() }),
        ...(message === undefined ? {} : { uid: message.uid }),
      };
      let restored = 0;
      for (let more = true; more;) {
        const step = await mail.restore(mailbox, filter, NO_ACTOR);
        if (!step.ok) {
          if (restored > 0) return refuse("partly-restored", account.address, { detail: String(restored) });
          return step.error === "no-mailbox"
            ? refuse("unknown-user", account.address)
            : refuseWrite(step.error, account.address);
        }
        restored += step.value.restored;
        more = step.value.more;
      }
      if (restored === 0) return refuse("nothing-to-restore", address);
      const detail = `${name}: ${restored} message(s)`;
      services.log.info("admin.change", { action: "maildrop.restore", subject: account.address, detail });
      return ok({ address: account.address, mailbox: name, restored });
    }),
);
