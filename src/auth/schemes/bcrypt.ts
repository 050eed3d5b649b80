import { compareSync } from "bcryptjs";
import { err, ok } from "../../lib/result.ts";
import type { Scheme } from "./scheme.ts";

const FORM = /^\$2[aby]\$(\d\d)\$[./0-9A-Za-z]{53}$/;
const LEAST_COST = 4;
const MOST_COST = 15;

/** bcrypt, `$2y$cost$…` (also `$2a$`, `$2b$`). It looks at the first 72 octets of a password. */
export const bcrypt: Scheme = (body) => {
  const form = FORM.exec(body);
  const cost = Number(form?.[1]);
  if (!form || cost < LEAST_COST) return err("malformed");
  if (cost > MOST_COST) return err("too-costly");
  return ok({ where: "thread", verify: (password) => compareSync(password.toString("utf8"), body) });
};
