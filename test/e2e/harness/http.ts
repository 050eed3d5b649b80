/** What an HTTP client of the server gets. */
export type Answer = { readonly status: number; readonly type: string; readonly text: string };

/** Asks the server's HTTP port; a deadline ends it. */
export async function ask(port: number, place: string): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${place}`, { signal: AbortSignal.timeout(10_000) });
  return { status: response.status, type: response.headers.get("content-type") ?? "", text: await response.text() };
}

/** The value of a metric, with its labels as they are written; 0 when it is not there. */
export async function metric(port: number, name: string): Promise<number> {
  const { text } = await ask(port, "/metrics");
  const line = text.split("\n").find((row) => row.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}
