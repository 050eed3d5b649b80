/** One line of an import; null: it has no secret. */
export type ImportLine = { readonly line: number; readonly address: string; readonly secret: string | null };

/** Takes `address,secret` lines apart at the first comma; empty lines and those that begin with # are passed over. */
export function parseImport(text: string): ImportLine[] {
  return text.split("\n").flatMap((raw, index): readonly ImportLine[] => {
    const given = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (given.trim() === "" || given.startsWith("#")) return [];
    const comma = given.indexOf(",");
    const line = index + 1;
    // What stands there may be a password that lost its address: it is not repeated.
    if (comma < 0) return [{ line, address: "", secret: null }];
    return [{ line, address: given.slice(0, comma).trim(), secret: given.slice(comma + 1) }];
  });
}
