import { parseArgs } from "node:util";

/** What the benchmark was asked for. */
export type BenchOptions = {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmup: number;
  /** Accounts, each with 20 messages; idle sessions as well. */
  readonly users: number;
  readonly json: boolean;
};

const usage = `npm run bench -- [--quick] [--rounds N] [--json]

Runs Mailkeep and Debian's Dovecot in turn and prints medians, spread and ratios for each CPU second of the server.
  --quick      200 accounts, two short rounds
  --rounds N   rounds of each figure (5)
  --json       one JSON object instead of a table
`;

/** Reads the command line; undefined: the usage was printed instead. */
export function readOptions(words: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...words],
    options: {
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
  if (values.help || !Number.isInteger(rounds) || rounds < 1) {
    process.stderr.write(usage);
    return undefined;
  }
  const size = values.quick ? { seconds: 1.5, warmup: 0.5, users: 200 } : { seconds: 3, warmup: 1, users: 1_000 };
  return { ...size, rounds, json: values.json };
}
