import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import path from "node:path";
import { metric } from "../e2e/harness/http.ts";
import type { Server } from "../e2e/harness/server.ts";
import type { Watched } from "./bounds.ts";

/** What is looked at, once. */
export type Look = Readonly<Record<Watched, number>>;

const LOG_KIB = 17 * 1024;
const PROTOCOLS = ["pop3", "smtp", "submission", "lmtp"];

/** Looks at a running server from outside. */
export async function lookAt(server: Server): Promise<Look> {
  const { pid, installation } = server;
  const bodies = path.join(installation.data, "bodies");
  const { descriptors, sockets } = openBy(pid);
  const connections = await connectionsOf(server);
  return {
    "anonymous memory, KiB": statusOf(pid, "RssAnon"),
    // Those of clients come and go; what stays behind of them does not count as one.
    "descriptors without connections": descriptors - Math.min(sockets, connections),
    threads: statusOf(pid, "Threads"),
    "spool files": countFiles(path.join(bodies, "spool")),
    "log of the database above 17 MiB, KiB": Math.max(
      0,
      octetsOf(`${installation.data}/mailkeep.db-wal`) / 1024 - LOG_KIB,
    ),
    segments: countFiles(path.join(bodies, "segments")),
    "files of large bodies": readdirSync(path.join(bodies, "files")).reduce(
      (sum, folder) => sum + countFiles(path.join(bodies, "files", folder)),
      0,
    ),
  };
}

function statusOf(pid: number, name: string): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1]);
}

function openBy(pid: number): { readonly descriptors: number; readonly sockets: number } {
  const folder = `/proc/${pid}/fd`;
  const targets = readdirSync(folder).map((name) => {
    try {
      return readlinkSync(path.join(folder, name));
    } catch {
      // Closed since.
      return "";
    }
  });
  const open = targets.filter((target) => target !== "");
  return { descriptors: open.length, sockets: open.filter((target) => target.startsWith("socket:")).length };
}

async function connectionsOf({ ports }: Server): Promise<number> {
  const counts = await Promise.all(
    PROTOCOLS.map((name) => metric(ports.http, `mailkeep_connections_open{protocol="${name}"}`)),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

function octetsOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function countFiles(folder: string): number {
  return readdirSync(folder).length;
}
