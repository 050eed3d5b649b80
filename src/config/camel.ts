/** `write_stall_seconds` as `writeStallSeconds`: the file's spelling and the code's. */
export type CamelKey<Key> = Key extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelKey<Tail>>}` : Key;

/** An object of the file with the code's spelling of its keys, all the way down and read-only. */
export type Camel<T> = T extends readonly (infer Member)[]
  ? readonly Camel<Member>[]
  : T extends string | number | boolean | undefined
    ? T
    : { readonly [Key in keyof T as CamelKey<Key>]: Camel<T[Key]> };

/** Respells the keys of plain objects and lists. */
export function camel<T>(value: T): Camel<T> {
  return respell(value) as Camel<T>;
}

function respell(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(respell);
  if (typeof value !== "object" || value === null) return value;
  const pairs = Object.entries(value).map(([key, member]) => [camelKey(key), respell(member)]);
  return Object.fromEntries(pairs) as unknown;
}

/** One key in the code's spelling. */
export function camelKey(key: string): string {
  return key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
