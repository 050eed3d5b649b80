import { verify } from "@node-rs/argon2";
import { err, ok } from "../../lib/result.ts";
import type { Scheme } from "./scheme.ts";

const FORM =
  /^\$argon2(?:id|i)\$v=(?:16|19)\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,171}$/;
const MOST_MEMORY_KIB = 256 * 1024;
const MOST_LANES = 16;
// Memory times passes: what the time grows with. 2 GiB are below a second on a slow core.
const MOST_WORK_KIB = 2 * 1024 * 1024;

/** Argon2id and Argon2i in the PHC form, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
export const argon2: Scheme = (body) => {
  const form = FORM.exec(body);
  if (!form) return err("malformed");
  const [memory, passes, lanes] = [Number(form[1]), Number(form[2]), Number(form[3])];
  if (passes < 1 || lanes < 1 || memory < 8 * lanes) return err("malformed");
  if (memory > MOST_MEMORY_KIB || lanes > MOST_LANES || memory * passes > MOST_WORK_KIB) return err("too-costly");
  return ok({ where: "pool", verify: (password) => verify(body, password) });
};
