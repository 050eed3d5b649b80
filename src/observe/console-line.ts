import { styleText } from "node:util";
import type { Level } from "./log-port.ts";
import type { LoggedEvent } from "./logged-event.ts";

const EVENT_WIDTH = 22;
const COLOURS = { debug: "dim", info: "green", warn: "yellow", error: "red" } as const satisfies Record<Level, string>;

/** One event as a line for people. Whether it has colour is left to the terminal and NO_COLOR. */
export function consoleLine(logged: LoggedEvent, terminal: NodeJS.WritableStream): string {
  const { time, seq: _seq, level, event, ...fields } = logged;
  const styled: Styled = (format, text) => styleText(format, text, { stream: terminal });
  const facts = Object.entries(fields).map(([name, value]) => `${styled("dim", `${name}=`)}${valueText(value)}`);
  const at = styled("dim", clockText(new Date(time)));
  return (
    `${at} ${styled(COLOURS[level], level.padEnd(5))} ${event.padEnd(EVENT_WIDTH)} ${facts.join(" ")}`.trimEnd() + "\n"
  );
}

type Styled = (format: Parameters<typeof styleText>[0], text: string) => string;

/** Local time of day with milliseconds. */
function clockText(time: Date): string {
  const pad = (value: number, width: number): string => String(value).padStart(width, "0");
  const [hours, minutes, seconds] = [time.getHours(), time.getMinutes(), time.getSeconds()];
  return `${pad(hours, 2)}:${pad(minutes, 2)}:${pad(seconds, 2)}.${pad(time.getMilliseconds(), 3)}`;
}

/** Bare words as they are, in any script; all else as JSON, so that nothing in a field can move the cursor. */
function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.map(valueText).join(",");
  if (typeof value !== "string") return String(value);
  if (/^[^\s"=\\,\p{C}\u2028\u2029]+$/u.test(value)) return value;
  return JSON.stringify(value).replace(/[\p{C}\u2028\u2029]/gu, escaped);
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
