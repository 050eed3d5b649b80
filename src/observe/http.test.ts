import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { text } from "node:stream/consumers";
import { createHealth } from "./health.ts";
import { httpServer } from "./http.ts";

async function start(t: TestContext) {
  const health = createHealth(["store"]);
  const server = httpServer({ health, renderMetrics: () => "x 1\n" });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { health, port, url: `http://127.0.0.1:${port}` };
}

test("ready is 503 until every part is, and again while the server stops", async (t) => {
  const { health, url } = await start(t);
  const ready = async () => {
    const response = await fetch(`${url}/health/ready`);
    return [response.status, await response.json()];
  };
  assert.deepEqual(await ready(), [503, { status: "starting", parts: { store: { status: "starting" } } }]);
  health.say("store", "ready");
  assert.deepEqual(await ready(), [200, { status: "ready", parts: { store: { status: "ready" } } }]);
  health.say("store", "stopping");
  assert.equal((await ready())[0], 503);
  assert.equal((await fetch(`${url}/health/live`)).status, 200);
});

test("metrics have Prometheus' content type; HEAD has the same head and no body", async (t) => {
  const { url } = await start(t);
  const got = await fetch(`${url}/metrics?x=1`);
  assert.equal(got.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  assert.equal(await got.text(), "x 1\n");
  const head = await fetch(`${url}/metrics`, { method: "HEAD" });
  assert.equal(head.headers.get("content-length"), "4");
  assert.equal(await head.text(), "");
});

test("all else is not found, and no other method is taken", async (t) => {
  const { url } = await start(t);
  for (const path of ["/", "/metrics/", "/health", "//metrics", "/health/../metrics/x"]) {
    assert.equal((await fetch(url + path)).status, 404, path);
  }
  const posted = await fetch(`${url}/metrics`, { method: "POST", body: "x".repeat(100_000) });
  assert.equal(posted.status, 405);
  assert.equal(posted.headers.get("allow"), "GET, HEAD");
});

test("a head without end is answered with 431 and closed", async (t) => {
  const { port } = await start(t);
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {
    // The server resets what it does not read.
  });
  socket.write(`GET /metrics HTTP/1.1\r\nX: ${"x".repeat(20_000)}`);
  assert.match(await text(socket), /^HTTP\/1\.1 431 /);
});
