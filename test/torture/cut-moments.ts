import type { Random } from "../e2e/harness/random.ts";
import type { Call } from "./recording.ts";

/** A call as far as it tells where a cut may fall: what it did, to what, and when. */
type Mark = { readonly what: string; readonly before: number; readonly after: number };

/** Gathers the calls of a recording, to choose moments near all kinds of them. */
export class CutMoments {
  readonly #folder: string;
  readonly #marks = new Map<string, Mark[]>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  note({ kind, path, from, to }: Call): void {
    if (kind === "open") return;
    const what = `${kind} ${placeOf(path.slice(this.#folder.length))}`;
    const marks = this.#marks.get(what) ?? [];
    marks.push({ what, before: from, after: to });
    this.#marks.set(what, marks);
  }

  /** The kinds of calls that came by, each with their number. */
  get kinds(): readonly (readonly [string, number])[] {
    return [...this.#marks].map(([what, marks]) => [what, marks.length] as const);
  }

  /** So many moments, spread over all kinds of calls, each right before or behind one; ascending. */
  choose(count: number, random: Random): readonly number[] {
    const chosen = new Set<number>();
    // Where rows and bodies are made durable more cuts fall than where a name goes.
    const kinds = [...this.#marks].flatMap(([what, marks]) =>
      CROWDED.test(what) ? [marks, marks, marks, marks] : [marks],
    );
    // Kinds that are rare give all they have.
    const most = kinds.reduce((sum, marks) => sum + 2 * marks.length, 0);
    for (let turn = 0; chosen.size < count && turn < 20 * most; turn += 1) {
      const mark = random.pick(kinds[turn % kinds.length] ?? []);
      // Before a sync there is most to lose.
      const early = mark.what.startsWith("sync") ? 0.8 : 0.3;
      chosen.add(random.fraction() < early ? mark.before : mark.after);
    }
    return [...chosen].toSorted((one, other) => one - other);
  }
}

const CROWDED = /^(write|sync) (segment$|.mailkeep)/;

function placeOf(rest: string): string {
  if (/^\/bodies\/segments\/./.test(rest)) return "segment";
  if (/^\/bodies\/files\/..\/./.test(rest)) return "body";
  if (/^\/bodies\/files\/./.test(rest)) return "files";
  if (/^\/bodies\/spool\/./.test(rest)) return "spool";
  return /^\/(lock\.db|control)/.test(rest) ? "others" : rest;
}
