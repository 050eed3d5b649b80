import type { Clock } from "../lib/clock.ts";
import { Secret } from "../lib/secret.ts";
import type { LogControl } from "./log-control.ts";
import { levels } from "./log-control.ts";
import type { Level, Log } from "./log-port.ts";
import type { Metrics } from "./metrics-port.ts";

/** Where a thread's lines go; a line ends with a line feed. */
export type LineSink = (line: string, level: Level) => void;

const LONGEST_STRING = 1024;
const LONGEST_LIST = 64;
/** Printable ASCII without the quote and the backslash. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** A log that makes one JSON line of each event and hands it to `sink`. Events below the level cost one comparison. */
export function createLog(control: LogControl, metrics: Metrics, clock: Clock, sink: LineSink): Log {
  const time = timeText(clock);
  const writer = (level: Level): Log["info"] => {
    const weight = levels.indexOf(level);
    const written = metrics.counter("mailkeep_log_events_total", level);
    return (event, fields) => {
      if (!control.takes(weight)) return;
      written.add();
      const seq = control.nextSequence();
      sink(`{"time":"${time()}","seq":${seq},"level":"${level}","event":"${event}"${fieldsText(fields)}}\n`, level);
    };
  };
  return { debug: writer("debug"), info: writer("info"), warn: writer("warn"), error: writer("error") };
}

/** ISO text of now; made once a millisecond, for it costs more than the rest of a line. */
function timeText(clock: Clock): () => string {
  let at = Number.NaN;
  let text = "";
  return () => {
    const now = clock.now();
    if (now !== at) {
      at = now;
      text = new Date(now).toISOString();
    }
    return text;
  };
}

function fieldsText(fields: unknown): string {
  let text = "";
  for (const [name, value] of Object.entries(fields ?? {})) text += `,"${name}":${valueText(value)}`;
  return text;
}

function valueText(value: unknown): string {
  if (typeof value === "string") return stringText(value);
  if (typeof value === "number") return numberText(value);
  if (typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `[${value.slice(0, LONGEST_LIST).map(valueText).join(",")}]`;
  if (value instanceof Secret) return '"[secret]"';
  return "null";
}

/** A millionth is exact enough for people; the rest of a float is noise. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return "null";
  return String(Number.isInteger(value) ? value : Number(value.toFixed(6)));
}

function stringText(value: string): string {
  // Nearly all strings are such, and JSON.stringify and the replacement cost more than all the rest of a line.
  if (value.length <= LONGEST_STRING && PLAIN.test(value)) return `"${value}"`;
  const kept = value.length > LONGEST_STRING ? `${value.slice(0, LONGEST_STRING)}…` : value;
  // JSON leaves DEL and the C1 controls as they are, which a terminal obeys, and marks that turn the direction of text.
  return JSON.stringify(kept).replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/gu, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
