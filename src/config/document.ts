import {
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Node,
  type Pair,
} from "yaml";
import type { Words } from "./option.ts";
import { formatPath, type Path } from "./path.ts";
import type { Problem, Source } from "./problem.ts";
import { yamlWords } from "./yaml-words.ts";

/** A YAML text as plain values, with the place of each. */
export type Document = {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Where the key of a path stands, and where its value. */
  readonly places: ReadonlyMap<string, { readonly key: Source; readonly value: Source }>;
};

/** Far deeper than any option lies; what is deeper is a mistake or a joke. */
const DEPTH = 16;

/**
 * Reads YAML 1.2 (core schema) of one document. Anchors, aliases and tags are refused: they make a file mean something
 * else than it says. `locate` turns a line and a column into a source.
 */
export function readDocument(text: string, locate: (line: number, column: number) => Source): Document {
  const lines = new LineCounter();
  const at = (offset: number): Source => {
    const { line, col } = lines.linePos(offset);
    return locate(line, col);
  };
  const parsed = parseText(text, lines);
  if (parsed === undefined)
    return { value: undefined, problems: [{ source: at(0), key: "", reason: TOO_DEEP }], places: new Map() };
  const faults = [...parsed.errors, ...parsed.warnings];
  const problems = faults.map((fault) => ({
    source: at(fault.pos[0]),
    key: "",
    reason: yamlWords(fault.code, fault.message),
  }));
  if (problems.length > 0) return { value: undefined, problems, places: new Map() };
  const reader = new Reader(at);
  const value = reader.read(parsed.contents, [], undefined);
  return { value, problems: reader.problems, places: reader.places };
}

function parseText(text: string, lineCounter: LineCounter) {
  try {
    // Repeated keys are found by the reader below: the library's own check takes quadratic time.
    return parseDocument(text, { version: "1.2", lineCounter, prettyErrors: false, uniqueKeys: false });
  } catch (cause) {
    if (cause instanceof RangeError) return undefined;
    throw cause;
  }
}

class Reader {
  readonly problems: Problem[] = [];
  readonly places = new Map<string, { key: Source; value: Source }>();
  readonly #at: (offset: number) => Source;

  constructor(at: (offset: number) => Source) {
    this.#at = at;
  }

  read(node: Node | null, path: Path, keySource: Source | undefined): unknown {
    const source = node?.range ? this.#at(node.range[0]) : (keySource ?? this.#at(0));
    this.places.set(formatPath(path), { key: keySource ?? source, value: source });
    if (node === null) return null;
    if (isAlias(node)) return this.#refuse(source, path, ALIAS);
    if (node.anchor !== undefined) this.#refuse(source, path, ANCHOR);
    if (node.tag !== undefined) this.#refuse(source, path, TAG);
    if (isScalar(node)) return node.value;
    if (path.length >= DEPTH && isCollection(node)) return this.#refuse(source, path, TOO_DEEP);
    if (isSeq(node))
      return node.items.map((item, index) => this.read(item as Node | null, [...path, index], undefined));
    if (isMap(node)) return this.#readMap(node.items as readonly Pair<Node, Node | null>[], path);
    throw new Error("yaml gave a node of an unknown kind");
  }

  #readMap(pairs: readonly Pair<Node, Node | null>[], path: Path): unknown {
    const members = new Map<string, unknown>();
    for (const pair of pairs) {
      const source = this.#at(isPair(pair) && pair.key.range ? pair.key.range[0] : 0);
      const key = isScalar(pair.key) ? String(pair.key.value) : undefined;
      if (key === undefined) this.#refuse(source, path, KEY);
      else if (members.has(key)) this.#refuse(source, [...path, key], REPEATED);
      else members.set(key, this.read(pair.value, [...path, key], source));
    }
    return Object.fromEntries(members);
  }

  #refuse(source: Source, path: Path, reason: Words): undefined {
    this.problems.push({ source, key: formatPath(path), reason });
  }
}

const ALIAS: Words = {
  en: "an alias (*name) is not taken here; write the value itself",
  zh: "不支持别名（*name），请直接写出值",
};
const ANCHOR: Words = { en: "an anchor (&name) is not taken here", zh: "不支持锚点（&name）" };
const TAG: Words = { en: "a tag (!name) is not taken here", zh: "不支持标签（!name）" };
const KEY: Words = { en: "expected a key, a plain word", zh: "应为键名（普通单词）" };
const TOO_DEEP: Words = { en: "this is nested too deeply", zh: "嵌套过深" };
const REPEATED: Words = { en: "this key is there twice", zh: "此键重复出现" };
