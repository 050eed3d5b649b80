import type { RawBuilder } from "kysely";
import { sql } from "kysely";

/** A list of numbers as one parameter, so that one prepared statement serves lists of any length. */
export function numbersIn(json: string): RawBuilder<never> {
  return sql<never>`(select value from json_each(${json}))`;
}
