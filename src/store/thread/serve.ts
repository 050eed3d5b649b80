import type { MessagePort } from "node:worker_threads";
import { freeLeasesOf } from "../lease-words.ts";
import { StoreError } from "../ports.ts";
import type { Request } from "../write/verbs.ts";
import type { Writer } from "../write/writer.ts";
import type { Answer, Calls, News } from "./messages.ts";

/**
 * Answers one client. Answers that come together leave together. When the client's thread is gone, its leases are freed
 * after all that it had asked for has been answered: an UPDATE that was posted holds its maildrop until it is decided.
 */
export function serveClient(
  port: MessagePort,
  writer: Writer,
  client: {
    readonly threadNumber: number;
    readonly leaseWords: SharedArrayBuffer;
    readonly gone: () => void;
    /** Its leases are free: another client may have its number. */
    readonly freed: () => void;
  },
): void {
  let answers: Answer[] = [];
  const flush = (): void => {
    const leaving = answers;
    answers = [];
    const buffers = leaving.flatMap(({ buffer }) => (buffer === undefined ? [] : [buffer]));
    port.postMessage({ answers: leaving } satisfies News, buffers);
  };
  const answer = (value: Answer): void => {
    if (answers.length === 0) queueMicrotask(flush);
    answers.push(value);
  };
  port.on("message", (calls: Calls) => {
    for (const { id, request } of calls) {
      const back = bufferOf(request);
      writer.submit(request).then(
        (outcome) => answer({ id, outcome, ...back }),
        (cause: unknown) => answer({ id, error: plainError(cause), ...back }),
      );
    }
  });
  port.on("close", () => {
    client.gone();
    writer.afterAnswers(() => {
      freeLeasesOf(client.threadNumber, client.leaseWords);
      client.freed();
    });
  });
}

function bufferOf(request: Request): { readonly buffer?: ArrayBuffer } {
  if (request.verb !== "append") return {};
  const { body } = request.arguments[0];
  return body.kind === "memory" ? { buffer: body.buffer } : {};
}

function plainError(cause: unknown): Extract<Answer, { error: unknown }>["error"] {
  const message = cause instanceof Error ? cause.message : String(cause);
  return cause instanceof StoreError
    ? { kind: cause.kind, message, full: cause.full }
    : { kind: "unavailable", message, full: false };
}
