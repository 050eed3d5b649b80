import type { BodyId } from "../../model/ids.ts";
import { reserveIds } from "../sql/high-water.ts";
import type { WriteSql } from "../sql/statement.ts";
import { transaction } from "../sql/statement.ts";

const BLOCK = 4096;

/** Ids for bodies, which must be known before the rows: taken from the high-water mark by the block. */
export class BodyIds {
  readonly #sql: WriteSql;
  #next = 0;
  #end = 0;

  constructor(sql: WriteSql) {
    this.#sql = sql;
  }

  /** The next id; what is not used of a block is never used. */
  async take(): Promise<BodyId> {
    if (this.#next === this.#end) {
      this.#next = await transaction(this.#sql, () => reserveIds(this.#sql, "body", BLOCK));
      this.#end = this.#next + BLOCK;
    }
    this.#next += 1;
    return (this.#next - 1) as BodyId;
  }
}
