import type { Document } from "./document.ts";
import { formatPath, type Path } from "./path.ts";
import type { Source } from "./problem.ts";

/** Where a path stands; what is missing is told at the place of the nearest thing around it. */
export function placeOf(path: Path, places: Document["places"], which: "key" | "value"): Source {
  for (let length = path.length; length >= 0; length -= 1) {
    const place = places.get(formatPath(path.slice(0, length)));
    if (place !== undefined) return length === path.length ? place[which] : place.key;
  }
  return { kind: "default" };
}

/**
 * Where the value of a path came from: a value of the environment comes as a whole, what a file leaves out comes from the
 * defaults.
 */
export function sourceOf(path: Path, sources: ReadonlyMap<string, Source>): Source {
  for (let length = path.length; length > 0; length -= 1) {
    const source = sources.get(formatPath(path.slice(0, length)));
    if (source !== undefined) return length === path.length || source.kind === "environment" ? source : DEFAULT;
  }
  return DEFAULT;
}

const DEFAULT: Source = { kind: "default" };
