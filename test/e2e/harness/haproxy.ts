import path from "node:path";
import { freePorts } from "./ports.ts";
import { mustRun, run } from "./process.ts";
import { sharedFolder } from "./repository.ts";

/** A real HAProxy in front of a port that expects PROXY headers; gives the port in front. */
export async function startHaproxy(stack: AsyncDisposableStack, folder: string, behind: number): Promise<number> {
  const [port = 0] = await freePorts(1);
  const script = path.join(sharedFolder("recipes"), "haproxy.sh");
  const env = { ...process.env, PORT: String(port), BACKENDS: `127.0.0.1:${behind}` };
  stack.defer(async () => void (await run("bash", [script, "stop", folder], { env })));
  await mustRun("bash", [script, "start", folder], { env });
  return port;
}
