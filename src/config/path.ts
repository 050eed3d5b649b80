/** A key's place in the file: names of maps, numbers of lists. */
export type Path = readonly (string | number)[];

/** A path as people write it: `limits.message_octets`, `listeners[0].tls`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");
}
