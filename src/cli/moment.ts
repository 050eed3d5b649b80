const UNITS_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const DURATION = /^(\d{1,6})\s*([mhdw])$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** A length of time as people write it (`90d`, `12h`, `2w`, `30m`), in ms; undefined: it is none. */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit = ""] = DURATION.exec(text) ?? [];
  const ms = UNITS_MS[unit];
  return digits === undefined || ms === undefined ? undefined : Number(digits) * ms;
}

/**
 * A date or a time as people write it, in ms since 1970: `2027-01-31`, `2027-01-31 18:00`, or ISO 8601. Without a zone it
 * is of this machine's; `dayEnd`: a date alone means its last moment, else its first. undefined: it is none.
 */
export function parseDate(text: string, dayEnd = false): number | undefined {
  const parts = DATE.exec(text);
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  if (hour > 23 || minute > 59 || second > 59 || !isDay(year, month, day)) return undefined;
  const zone = parts[7];
  if (zone !== undefined) {
    const parsed = Date.parse(text.replace(" ", "T"));
    return Number.isNaN(parsed) ? undefined : parsed;
  }
  if (parts[4] === undefined) return new Date(year, month - 1, day + (dayEnd ? 1 : 0)).getTime();
  return new Date(year, month - 1, day, hour, minute, second).getTime();
}

/** `3d` as three days before `now`, or a date; undefined: it is neither. */
export function parseSince(text: string, now: number): number | undefined {
  const duration = parseDuration(text);
  return duration === undefined ? parseDate(text) : now - duration;
}

/** `90d` as ninety days after `now`, or the end of a date; undefined: it is neither. */
export function parseUntil(text: string, now: number): number | undefined {
  const duration = parseDuration(text);
  return duration === undefined ? parseDate(text, true) : now + duration;
}

function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(year, month - 1, day);
  return date.getMonth() === month - 1 && date.getDate() === day;
}
