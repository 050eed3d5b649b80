import type { Mutant } from "./mutant.ts";

const SEGMENTS = "src/store/bodies/segments.ts";
const FILES = "src/store/bodies/files.ts";
const RECLAIM = "src/store/reclaim.ts";
const SWEEP = "src/store/sweep.ts";

/** Mistakes in what is on the disk when. */
export const diskMutants: readonly Mutant[] = [
  {
    name: "acknowledged-before-commit",
    mistake: "answers are given before the rows are committed",
    edits: [
      {
        file: "src/store/write/group.ts",
        find: "    committing = true;\n    sql.commit();",
        replace: `    for (const answer of answers) if ("outcome" in answer) answer.unit.settle(answer.outcome);
    await new Promise((resolve) => setImmediate(resolve));
    committing = true;
    sql.commit();`,
      },
    ],
    within: 0,
  },
  {
    name: "rows-before-bodies",
    mistake: "rows are committed before the bodies that they name are synced",
    edits: [
      {
        file: SEGMENTS,
        find: "for (const tail of touched.keys()) this.#disk.fdatasyncSync(tail.file);",
        replace: `for (const tail of touched.keys()) setImmediate(() => {
        try {
          this.#disk.fdatasyncSync(tail.file);
        } catch {}
      });`,
      },
    ],
    within: 0,
  },
  {
    name: "segments-not-synced",
    mistake: "what is written to a segment is not synced",
    edits: [
      {
        file: SEGMENTS,
        find: "for (const tail of touched.keys()) this.#disk.fdatasyncSync(tail.file);",
        replace: "",
      },
    ],
    within: 0,
  },
  {
    name: "segment-folder-not-synced",
    mistake: "the folder is not synced in which a segment was created",
    edits: [{ file: SEGMENTS, find: "      this.#disk.fsyncFolderSync(this.#layout.segments);\n", replace: "" }],
    within: 0,
  },
  {
    name: "file-folder-not-synced",
    mistake: "the folder is not synced to which a body's own file was moved",
    edits: [
      {
        file: FILES,
        find: "for (const folder of this.#unsynced) this.#disk.fsyncFolderSync(folder);",
        replace: "",
      },
    ],
    within: 0,
  },
  {
    name: "adopted-file-not-synced",
    mistake: "a body's own file is not synced after its head was written",
    edits: [{ file: FILES, find: "      this.#disk.fdatasyncSync(file);\n", replace: "" }],
    within: 0,
  },
  {
    name: "spool-not-synced",
    mistake: "a spooled body is not synced, neither by who spools it nor by who adopts it",
    edits: [
      { file: FILES, find: "      this.#disk.fdatasyncSync(file);\n", replace: "" },
      { file: "src/store/bodies/spool.ts", find: "      await this.#disk.fdatasync(this.#file);\n", replace: "" },
    ],
    within: 0,
  },
  {
    name: "short-write-taken-as-whole",
    mistake: "a full disk in the middle of a write is not noticed",
    edits: [
      {
        file: SEGMENTS,
        find: "        this.#disk.writevSync(tail.file, batch, tail.end);\n",
        replace: `        try {
          this.#disk.writevSync(tail.file, batch, tail.end);
        } catch (cause) {
          if (!(cause instanceof DiskError && cause.kind === "full")) throw cause;
        }
`,
      },
    ],
    within: 0,
  },
  {
    name: "full-disk-takes-too-much-back",
    mistake: "a write that did not fit is taken back with what was written to the segment before",
    edits: [
      {
        file: SEGMENTS,
        find: "        this.#disk.ftruncateSync(this.#tail.file, start);\n        this.#tail.end = start;",
        replace: "        this.#disk.ftruncateSync(this.#tail.file, 0);\n        this.#tail.end = 0;",
      },
    ],
    within: 0,
  },
  {
    name: "failed-sync-taken-as-success",
    mistake: "a sync that failed, of a file, a folder or a commit, is taken as one that did not",
    edits: [
      {
        file: "src/store/write/sync-watch.ts",
        find: "    if (isFailedSync(cause)) failed(cause.message);\n    throw cause;",
        replace: "    if (!isFailedSync(cause)) throw cause;\n    return undefined as never;",
      },
    ],
    within: 0,
  },
  {
    name: "failed-sync-heals",
    mistake: "after a failed sync it goes on as soon as a write succeeds, without a restart",
    edits: [
      {
        file: "src/store/write/health.ts",
        find: '    this.#state = "stopped";\n',
        replace: '    this.#state = "failed";\n',
      },
    ],
    within: 0,
  },
  {
    name: "body-ids-not-reserved",
    mistake: "ids of bodies are counted in memory, from the beginning after each start",
    edits: [
      {
        file: "src/store/write/body-ids.ts",
        find: '      this.#next = await transaction(this.#sql, () => reserveIds(this.#sql, "body", BLOCK));\n',
        replace: "      this.#next = this.#end === 0 ? 1 : this.#end;\n",
      },
    ],
    within: 0,
  },
  {
    name: "reclaim-unlinks-first",
    mistake: "reclaim removes a segment before the rows of what it moved are committed",
    edits: [
      {
        file: RECLAIM,
        find: "    await this.#moveRows(segment, bodies, written.value);\n    this.#unlink([segment]);",
        replace: "    this.#unlink([segment]);\n    await this.#moveRows(segment, bodies, written.value);",
      },
    ],
    within: 0,
  },
  {
    name: "survivors-not-synced",
    mistake: "reclaim copies what lives on without a sync, and removes the segment",
    edits: [
      {
        file: "src/store/write/writer.ts",
        find: "const survivors = new SegmentWriter(disk, layout, register);",
        replace: "const survivors = new SegmentWriter({ ...disk, fdatasyncSync: () => undefined }, layout, register);",
      },
    ],
    within: 0,
  },
  {
    name: "reclaim-forgets-the-last",
    mistake: "reclaim leaves the last body of a segment behind",
    edits: [
      {
        file: RECLAIM,
        find: "for (const [index, body] of bodies.entries()) {",
        replace: "for (const [index, body] of bodies.slice(0, Math.max(1, bodies.length - 1)).entries()) {",
      },
    ],
    within: 0,
  },
  {
    name: "sweep-removes-named-files",
    mistake: "a start removes files that rows name",
    edits: [
      {
        file: SWEEP,
        find: "if (!(await hasOwnFile(sql, id))) orphans.set(id, file);",
        replace: "orphans.set(id, file);",
      },
      { file: SWEEP, find: "if (!named.has(id)) disk.unlinkSync(file);", replace: "disk.unlinkSync(file);" },
    ],
    within: 0,
  },
];
