import type * as z from "zod";
import type { Result } from "../lib/result.ts";
import { addDomain, listDomains, removeDomain } from "./domains.ts";
import { addAppPassword, listAppPasswords, revokeAppPassword } from "./app-passwords.ts";
import { maildropHistory, messageHistory } from "./history.ts";
import { importUsers } from "./import.ts";
import { listMessages, releaseMaildrop, showMaildrop } from "./maildrops.ts";
import { clearPenalties, listPenalties } from "./penalties.ts";
import { restoreMaildrop } from "./undelete.ts";
import { scrubMaildrop, scrubStore } from "./scrub.ts";
import type { Operation, Progress } from "./operation.ts";
import type { Refusal } from "./refusal.ts";
import { listCertificates, makeSelfSigned, migrateStore } from "./upkeep.ts";
import { addUser, disableUser, enableUser, listUsers, removeUser, setPassword, setUser, showUser } from "./users.ts";

/** Every administrative operation: the control socket and a command without a server run the same. */
export const operations = {
  "domain.add": addDomain,
  "domain.list": listDomains,
  "domain.remove": removeDomain,
  "user.add": addUser,
  "user.show": showUser,
  "user.list": listUsers,
  "user.remove": removeUser,
  "user.password": setPassword,
  "user.enable": enableUser,
  "user.disable": disableUser,
  "user.set": setUser,
  "user.import": importUsers,
  "maildrop.show": showMaildrop,
  "maildrop.messages": listMessages,
  "maildrop.history": maildropHistory,
  "maildrop.message": messageHistory,
  "maildrop.restore": restoreMaildrop,
  "maildrop.release": releaseMaildrop,
  "maildrop.scrub": scrubMaildrop,
  "app-password.add": addAppPassword,
  "app-password.list": listAppPasswords,
  "app-password.revoke": revokeAppPassword,
  "auth.penalties.list": listPenalties,
  "auth.penalties.clear": clearPenalties,
  "store.migrate": migrateStore,
  "store.scrub": scrubStore,
  "certificate.list": listCertificates,
  "certificate.self-signed": makeSelfSigned,
} as const;

export type OperationName = keyof typeof operations;
type Rows = typeof operations;

/** What an operation takes, as it is typed and sent. */
export type InputOf<N extends OperationName> = z.input<Rows[N]["input"]>;
/** What an operation answers. */
export type OutputOf<N extends OperationName> = Rows[N] extends Operation<infer _Input, infer Output> ? Output : never;

/** How the one who asks follows a long operation, and gives it up. */
export type CallOptions = { readonly progress?: (progress: Progress) => void; readonly signal?: AbortSignal };

/** Administration, wherever it is done: by the running server or here. */
export type Admin = {
  call<N extends OperationName>(
    name: N,
    input: InputOf<N>,
    options?: CallOptions,
  ): Promise<Result<OutputOf<N>, Refusal>>;
};
