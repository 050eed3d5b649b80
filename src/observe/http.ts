import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Health } from "./health.ts";

/** What the HTTP surface shows. */
export type HttpPorts = {
  readonly health: Health;
  readonly renderMetrics: () => string;
};

type Page = { readonly status: number; readonly type: string; readonly body: string };

const JSON_TYPE = "application/json; charset=utf-8";
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const TEXT_TYPE = "text/plain; charset=utf-8";

const MOST_CONNECTIONS = 64;

/** The HTTP server with its three pages; the caller lets it listen and closes it. */
export function httpServer(ports: HttpPorts): Server {
  const server = createServer(
    {
      maxHeaderSize: 8 * 1024,
      headersTimeout: 5000,
      requestTimeout: 10_000,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => answer(request, response, ports),
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.maxRequestsPerSocket = 1000;
  // A socket on which nothing moves is closed, also while an answer waits for its reader.
  server.setTimeout(15_000);
  return server;
}

function answer(request: IncomingMessage, response: ServerResponse, ports: HttpPorts): void {
  const { status, type, body } = pageFor(request, ports);
  const octets = Buffer.from(body);
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Length": octets.length,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    // No page takes a body: one that comes is not read.
    ...(isRead(request) && !hasBody(request) ? {} : { Connection: "close" }),
    ...(status === 405 ? { Allow: "GET, HEAD" } : {}),
  });
  response.end(octets);
}

function pageFor(request: IncomingMessage, { health, renderMetrics }: HttpPorts): Page {
  const [path] = (request.url ?? "").split("?", 1);
  const page = pages.get(path ?? "");
  if (page === undefined) return { status: 404, type: TEXT_TYPE, body: "not found\n" };
  if (!isRead(request)) return { status: 405, type: TEXT_TYPE, body: "only GET and HEAD\n" };
  return page({ health, renderMetrics });
}

const pages = new Map<string, (ports: HttpPorts) => Page>([
  ["/health/live", () => ({ status: 200, type: JSON_TYPE, body: '{"status":"live"}\n' })],
  ["/health/ready", ({ health }) => readyPage(health)],
  ["/metrics", ({ renderMetrics }) => ({ status: 200, type: METRICS_TYPE, body: renderMetrics() })],
]);

function readyPage(health: Health): Page {
  const report = health.report();
  return { status: report.status === "ready" ? 200 : 503, type: JSON_TYPE, body: `${JSON.stringify(report)}\n` };
}

function isRead(request: IncomingMessage): boolean {
  return request.method === "GET" || request.method === "HEAD";
}

function hasBody(request: IncomingMessage): boolean {
  return request.headers["transfer-encoding"] !== undefined || (request.headers["content-length"] ?? "0") !== "0";
}
