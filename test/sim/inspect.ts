import { assertConsistentRows } from "../contracts/store-consistency.ts";
import type { Machine } from "./machine.ts";
import { BrokenPromise } from "./broken-promise.ts";

/** Rows that agree with one another, as they have to at every moment. */
export function inspectRows(machine: Machine): void {
  try {
    assertConsistentRows((text) => machine.query(text));
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== "AssertionError") throw cause;
    throw new BrokenPromise("P8", `the rows do not agree: ${cause.message}`);
  }
}

/** After a start without faults there is no file of mail but those that rows name, and each of these is there (P8). */
export function inspectFiles(machine: Machine): void {
  const bodies = `${machine.folder}/bodies`;
  const there = new Set(machine.list(bodies));
  const own = machine.query("select id from body where segment is null").map(({ id }) => bodyFile(bodies, Number(id)));
  const shared = machine
    .query("select id from segment where live > 0")
    .map(({ id }) => segmentFile(bodies, Number(id)));
  const named = new Set([...own, ...shared]);
  for (const file of named) if (!there.has(file)) throw new BrokenPromise("P8", `${file} is gone, and rows name it`);
  for (const { id } of machine.query("select id from segment")) named.add(segmentFile(bodies, Number(id)));
  for (const file of there)
    if (!named.has(file)) throw new BrokenPromise("P9", `${file} is left over, and no row names it`);
}

function bodyFile(bodies: string, id: number): string {
  return `${bodies}/files/${(id % 256).toString(16).padStart(2, "0")}/${id}`;
}

function segmentFile(bodies: string, id: number): string {
  return `${bodies}/segments/${id.toString(16).padStart(8, "0")}`;
}
