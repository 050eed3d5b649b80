import fs from "node:fs";
import path from "node:path";
import type { Random } from "../../e2e/harness/random.ts";

export type Place = "segment" | "own file" | "database";

/** One bit of one file. */
export type Flip = { readonly place: Place; readonly file: string; readonly at: number; readonly bit: number };

/** Draws a bit of a data folder. */
export function drawFlip(random: Random, data: string, place: Place): Flip {
  const files = filesOf(data, place);
  // Large files have more bits that can rot.
  const octets = files.map((file) => fs.statSync(file).size);
  let at = random.between(0, octets.reduce((sum, size) => sum + size, 0) - 1);
  for (const [index, file] of files.entries()) {
    const size = octets[index] ?? 0;
    if (at < size && place === "database" && isEmpty(file, at)) return drawFlip(random, data, place);
    if (at < size) return { place, file: path.relative(data, file), at, bit: random.between(0, 7) };
    at -= size;
  }
  throw new Error(`nothing to rot in ${place}`);
}

// A small database is mostly room that nothing uses yet; there nothing can be learnt.
function isEmpty(file: string, at: number): boolean {
  return fs.readFileSync(file)[at] === 0;
}

/** Flips it; twice is as if nothing had been. */
export function flip(data: string, { file, at, bit }: Flip): void {
  const handle = fs.openSync(path.join(data, file), "r+");
  try {
    const octet = Buffer.alloc(1);
    fs.readSync(handle, octet, 0, 1, at);
    octet[0] = (octet[0] ?? 0) ^ (1 << bit);
    fs.writeSync(handle, octet, 0, 1, at);
  } finally {
    fs.closeSync(handle);
  }
}

function filesOf(data: string, place: Place): readonly string[] {
  if (place === "database") return [path.join(data, "mailkeep.db")];
  const folder = path.join(data, "bodies", place === "segment" ? "segments" : "files");
  const names = fs
    .readdirSync(folder, { recursive: true, encoding: "utf8" })
    .toSorted((one, other) => (one < other ? -1 : 1));
  return names
    .map((name) => path.join(folder, name))
    .filter((file) => fs.statSync(file).isFile() && fs.statSync(file).size > 0);
}
