import { BODY_HEAD_OCTETS } from "../../model/body.ts";
import type { BodyId } from "../../model/ids.ts";
import type { Disk } from "../disk.ts";
import { DiskError } from "../disk.ts";
import type { Layout } from "../layout.ts";
import { bodyPath, spoolPath } from "../layout.ts";
import type { BodyHead } from "./body-head.ts";
import { writeBodyHead } from "./body-head.ts";

/** Bodies that are files of their own: they come as spool files that were written and synced by another thread. */
export class BodyFiles {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #made = new Set<string>();
  readonly #unsynced = new Set<string>();
  readonly #forgotten: BodyId[] = [];

  constructor(disk: Disk, layout: Layout) {
    this.#disk = disk;
    this.#layout = layout;
  }

  /** Puts the head before the body and the file in its place; durable after sync(). */
  adopt(spool: string, start: number, head: BodyHead): void {
    const from = spoolPath(this.#layout, spool);
    const octets = new Uint8Array(BODY_HEAD_OCTETS);
    writeBodyHead(octets, head);
    const file = this.#disk.openSync(from, "write");
    try {
      this.#disk.writevSync(file, [octets], start - BODY_HEAD_OCTETS);
      this.#disk.fdatasyncSync(file);
    } finally {
      this.#disk.closeSync(file);
    }
    const to = bodyPath(this.#layout, head.body);
    this.#makeFolder(to.folder);
    this.#disk.renameSync(from, to.file);
    this.#unsynced.add(to.folder);
  }

  /** Makes the names of adopted files durable. */
  sync(): void {
    for (const folder of this.#unsynced) this.#disk.fsyncFolderSync(folder);
    this.#unsynced.clear();
  }

  /** No row names these any more. */
  forget(bodies: readonly BodyId[]): void {
    this.#forgotten.push(...bodies);
  }

  /** Removes the files of forgotten bodies: after the answers, for a large file takes its time. */
  removeForgotten(): void {
    for (const body of this.#forgotten.splice(0)) {
      try {
        this.#disk.unlinkSync(bodyPath(this.#layout, body).file);
      } catch (cause) {
        // The next start sweeps what has no row.
        if (!(cause instanceof DiskError)) throw cause;
      }
    }
  }

  #makeFolder(folder: string): void {
    if (this.#made.has(folder)) return;
    this.#disk.mkdirSync(folder);
    this.#disk.fsyncFolderSync(this.#layout.files);
    this.#made.add(folder);
  }
}
