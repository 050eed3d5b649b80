import type { BenchOptions } from "./options.ts";
import type { Side } from "./sides.ts";

/** One figure: which tool measures it, with what, and where it stands in the tool's report. */
export type Figure = {
  readonly name: string;
  readonly tool: "popload" | "smtpload";
  readonly words: (side: Side) => readonly string[];
  /** For each CPU second of the server: the figure to compare. */
  readonly perCpu: string;
  /** For each second of the clock, on cores that the load generator shares. */
  readonly perSecond: string;
  readonly unit: string;
};

/** The users files of a run: those with mail to fetch, and those that mail is delivered to. */
export type Files = { readonly readers: string; readonly receivers: string };

/** All figures, in the order in which they are printed. */
export function figures(options: BenchOptions, files: Files): readonly Figure[] {
  const time = ["--seconds", String(options.seconds), "--warmup", String(options.warmup)];
  const pop = (name: string, script: string, connections: number, tls: boolean): Figure => {
    const megabytes = script === "fetch";
    const load = ["--script", script, "--conns", String(connections), "--users", files.readers, ...time];
    return {
      name,
      tool: "popload",
      words: (side) => [
        "--port",
        String(tls ? side.pop3s : side.pop3),
        ...(tls ? ["--tls"] : []),
        ...load,
        ...side.cpu,
      ],
      perCpu: megabytes ? "MB_per_server_cpu_s" : "sessions_per_server_cpu_s",
      perSecond: megabytes ? "MB_per_s" : "sessions_per_s",
      unit: megabytes ? "MB" : "sessions",
    };
  };
  const lmtp = (connections: number): Figure => {
    const load = [
      "--lmtp",
      "--conns",
      String(connections),
      "--users",
      files.receivers,
      "--size",
      "log:2000-100000",
      ...time,
    ];
    return {
      name: `durable LMTP, ${connections} connection${connections === 1 ? "" : "s"}`,
      tool: "smtpload",
      words: (side) => ["--port", String(side.lmtp), ...load, ...side.cpu],
      perCpu: "msgs_per_server_cpu_s",
      perSecond: "msgs_per_s",
      unit: "messages",
    };
  };
  return [
    pop("login", "login", 50, false),
    pop("check", "check", 50, false),
    pop("fetch", "fetch", 10, false),
    pop("TLS login", "login", 50, true),
    lmtp(1),
    lmtp(10),
    lmtp(50),
  ];
}
