import { readdir, readFile, readlink } from "node:fs/promises";

/**
 * Tells who listens on a TCP port, as "name (pid N)", from /proc; undefined where it cannot be told (no /proc, another
 * user's process).
 */
export async function portOwner(port: number): Promise<string | undefined> {
  const inodes = new Set([
    ...(await listeningInodes("/proc/net/tcp", port)),
    ...(await listeningInodes("/proc/net/tcp6", port)),
  ]);
  if (inodes.size === 0) return undefined;
  for (const pid of await entries("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    for (const descriptor of await entries(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(await link(`/proc/${pid}/fd/${descriptor}`))?.[1];
      if (inode !== undefined && inodes.has(inode)) return `${await nameOf(pid)} (pid ${pid})`;
    }
  }
  return undefined;
}

// A line of /proc/net/tcp: "sl local_address rem_address st …"; state 0A is LISTEN, field 9 the inode (proc(5)).
async function listeningInodes(file: string, port: number): Promise<string[]> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return (await text(file))
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) === true && fields[3] === "0A")
    .map((fields) => fields[9] ?? "");
}

async function nameOf(pid: string): Promise<string> {
  const words = (await text(`/proc/${pid}/cmdline`)).split("\0").filter((word) => word !== "");
  const script = words.find((word) => /\/?(mailkeep|main\.ts)$/.test(word));
  if (script !== undefined) return "mailkeep";
  return (await text(`/proc/${pid}/comm`)).trim() || "a process";
}

// Processes come and go while /proc is read: what is no longer there is simply not the owner.
async function entries(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function text(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}

async function link(file: string): Promise<string> {
  return readlink(file).catch(() => "");
}
