import { registerHooks } from "node:module";

/*
 * Makes some limits of the program small while it is loaded for a simulation, so that their borders are met all the time
 * and not once in thousands of messages: segments fill up, bodies go to disk, removals are carried out in slices. Nothing
 * but these figures is changed. To be imported before anything of src.
 */
const SMALL: readonly (readonly [file: string, was: string, is: string])[] = [
  ["src/store/bodies/segments.ts", "SEGMENT_OCTETS = 16 * 1024 * 1024", "SEGMENT_OCTETS = 48 * 1024"],
  ["src/store/write/expunge.ts", "MOST_AT_ONCE = 2000", "MOST_AT_ONCE = 3"],
  ["src/store/write/slices.ts", "SLICE = 250", "SLICE = 2"],
  ["src/store/write/body-ids.ts", "BLOCK = 4096", "BLOCK = 8"],
  ["src/store/write/writer.ts", "MOST_UNITS = 512", "MOST_UNITS = 6"],
  ["src/store/write/writer.ts", "PROBE_OCTETS = 1024 * 1024", "PROBE_OCTETS = 16 * 1024"],
  ["src/store/write/writer.ts", "SETTLE_PAGES = 1000", "SETTLE_PAGES = 40"],
  ["src/store/write/writer.ts", "BUSY_PAGES = 3000", "BUSY_PAGES = 60"],
  ["src/store/reserve.ts", "RESERVE_OCTETS = 16 * 1024 * 1024", "RESERVE_OCTETS = 64 * 1024"],
  ["src/store/reserve.ts", "PIECE_OCTETS = 1024 * 1024", "PIECE_OCTETS = 16 * 1024"],
  ["src/store/reserve.ts", "PROBE_OCTETS = 64 * 1024", "PROBE_OCTETS = 4 * 1024"],
  ["src/intake/content.ts", "MEMORY_OCTETS = 256 * 1024", "MEMORY_OCTETS = 12 * 1024"],
  ["src/intake/content.ts", "FIRST_OCTETS = 16 * 1024", "FIRST_OCTETS = 2 * 1024"],
  ["src/intake/spooling.ts", "WINDOW_OCTETS = 256 * 1024", "WINDOW_OCTETS = 8 * 1024"],
  ["src/intake/spooling.ts", "CHUNK_OCTETS = 64 * 1024", "CHUNK_OCTETS = 4 * 1024"],
  ["src/store/bodies/spool.ts", "PIECE_OCTETS = 256 * 1024", "PIECE_OCTETS = 8 * 1024"],
  ["src/net/drive.ts", "GATHERED_OCTETS = 32 * 1024", "GATHERED_OCTETS = 1024"],
  ["src/net/drive.ts", "UNSENT_OCTETS = 128 * 1024", "UNSENT_OCTETS = 4 * 1024"],
  ["src/net/drive.ts", "HELD_OCTETS = 64 * 1024", "HELD_OCTETS = 4 * 1024"],
  ["src/mailbox/read-pool.ts", "LARGE_OCTETS = 256 * 1024", "LARGE_OCTETS = 6 * 1024"],
  ["src/mailbox/read-pool.ts", "SMALL_OCTETS = 32 * 1024", "SMALL_OCTETS = 2 * 1024"],
  ["src/mailbox/listing.ts", "PAGE = 2000", "PAGE = 5"],
  ["src/mailbox/retention.ts", "MESSAGES = 10_000", "MESSAGES = 8"],
];

const missing = new Set(SMALL.map(([file]) => file));

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const rows = SMALL.filter(([file]) => url.endsWith(`/${file}`));
    if (rows.length === 0 || loaded.source === undefined || loaded.source === null) return loaded;
    let text = Buffer.from(loaded.source as Uint8Array).toString();
    for (const [file, was, is] of rows) {
      // A limit that moved or changed must not quietly become large again.
      if (!text.includes(was)) throw new Error(`small-limits.ts: ${file} has no "${was}" any more`);
      text = text.replace(was, is);
      missing.delete(file);
    }
    return { ...loaded, source: text };
  },
});

/** Files whose limits should be small and which were loaded before, or not at all. */
export function limitsLeftLarge(): readonly string[] {
  return [...missing];
}
