import { randomFillSync } from "node:crypto";

const tags = new Uint32Array(1024);
let tagsUsed = tags.length;

/** 32 random bits for a UIDL. Drawn by the thousand: one by one they cost more than the rest of a row. */
export function randomTag(): number {
  if (tagsUsed === tags.length) {
    randomFillSync(tags);
    tagsUsed = 0;
  }
  tagsUsed += 1;
  return tags[tagsUsed - 1] ?? 0;
}
