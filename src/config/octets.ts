const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
  TIB: 1024 ** 4,
};

const NAMES = ["B", "KiB", "MiB", "GiB", "TiB"];

/** What a size looks like. */
export const OCTETS = /^(\d{1,15}(?:\.\d{1,6})?) *([KkMmGgTt][Ii][Bb]|[Bb]|)$/;

/** Parses a size as an operator writes it: `64 KiB`, `1.5GiB`, or a plain number of octets; undefined: it is none. */
export function parseOctets(text: string): number | undefined {
  const match = OCTETS.exec(text);
  const unit = UNITS[(match?.[2] ?? "").toUpperCase()];
  if (match === null || unit === undefined) return undefined;
  const octets = Number(match[1]) * unit;
  return Number.isSafeInteger(octets) ? octets : undefined;
}

/** Writes a size so that `parseOctets` gives the same number again: in the largest unit that divides it. */
export function formatOctetsExactly(octets: number): string {
  let value = octets;
  let unit = 0;
  while (value >= 1024 && value % 1024 === 0 && unit < NAMES.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? String(value) : `${value} ${NAMES[unit]}`;
}

/** Writes a size for a person: three digits at most and the unit, as `1.4 MiB`. */
export function formatOctets(octets: number): string {
  let value = octets;
  let unit = 0;
  while (value >= 1023.5 && unit < NAMES.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${NAMES[unit]}`;
}
