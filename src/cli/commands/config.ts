import { exampleFile, explain, jsonSchema } from "../../config/explain.ts";
import { describeSource, type Problem } from "../../config/problem.ts";
import { systemClock } from "../../lib/clock.ts";
import { certificateWords } from "../certificate-words.ts";
import { configFailure, loadOrFail } from "../configuration.ts";
import { answer, type Context } from "../context.ts";
import { renderTable } from "../table.ts";

/** `mailkeep config check` */
export async function check(context: Context): Promise<number> {
  const { config, file, sources } = await loadOrFail(context);
  const wrong = await context.world.ports.checkCertificate(config, systemClock);
  if (wrong !== undefined) {
    const reason = { en: wrong.reason, zh: certificateWords(wrong.reason, "zh") };
    const problem: Problem = { source: sources.get(wrong.key) ?? { kind: "default" }, key: wrong.key, reason };
    throw await configFailure(context, [problem]);
  }
  const { say } = context;
  const { certificate } = config.tls;
  answer(context, { ok: true, file: file ?? null, certificate: certificate ?? null }, () =>
    [
      file === undefined ? say("config.ok-defaults") : say("config.ok", { file }),
      certificate === undefined ? say("config.ok-self-signed") : say("config.ok-certificate", { file: certificate }),
    ].join("\n"),
  );
  return 0;
}

/** `mailkeep config show` */
export async function show(context: Context): Promise<number> {
  const { say, language } = context;
  const rows = explain(await loadOrFail(context));
  answer(
    context,
    rows.map((row) => ({ ...row, value: row.value ?? null })),
    () =>
      renderTable(
        [{ title: say("config.key") }, { title: say("config.value") }, { title: say("config.source") }],
        rows.map(({ key, value, source }) => [key, value ?? say("config.unset"), describeSource(source, language)]),
      ),
  );
  return 0;
}

/** `mailkeep config example` */
export async function example(context: Context): Promise<number> {
  context.world.stdout.write(exampleFile(context.language));
  return 0;
}

/** `mailkeep config schema` */
export async function schema(context: Context): Promise<number> {
  context.world.stdout.write(`${JSON.stringify(jsonSchema(context.language), undefined, 2)}\n`);
  return 0;
}
