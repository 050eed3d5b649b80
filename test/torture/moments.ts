import type { Aim } from "./killer.ts";

/** Where a dialogue stands, as far as its client knows. */
export type Point = "in the middle of a body" | "within an answer to RETR" | "before QUIT" | "behind QUIT";

/** A kind of moment at which the server is killed. */
export type Moment = {
  /** Of the step that the issue names. */
  readonly step: "DATA" | "bodies" | "commit" | "checkpoint" | "RETR" | "QUIT" | "start" | "stop";
  readonly name: string;
  /** What goes on meanwhile. */
  readonly during: "load" | "start" | "stop";
  /** From outside: at such a point of a dialogue. With an aim: it begins to count there. */
  readonly point?: Point;
  /** By itself: at such a call. */
  readonly aim?: Aim;
  /** At most so many of its kind are let through first. */
  readonly skip: number;
};

const write = ["write"] as const;
const sync = ["sync"] as const;

/** All of them; each run spreads its kills over all. */
export const MOMENTS: readonly Moment[] = [
  { step: "DATA", name: "in the middle of a body", during: "load", point: "in the middle of a body", skip: 12 },
  { step: "DATA", name: "write to a spool file", during: "load", aim: { kinds: write, places: ["spool"] }, skip: 12 },
  { step: "DATA", name: "sync of a spool file", during: "load", aim: { kinds: sync, places: ["spool"] }, skip: 6 },
  { step: "bodies", name: "write to a segment", during: "load", aim: { kinds: write, places: ["segment"] }, skip: 60 },
  { step: "bodies", name: "sync of a segment", during: "load", aim: { kinds: sync, places: ["segment"] }, skip: 60 },
  { step: "bodies", name: "a new segment", during: "load", aim: { kinds: ["create"], places: ["segment"] }, skip: 0 },
  { step: "bodies", name: "rename into files", during: "load", aim: { kinds: ["rename"], places: ["body"] }, skip: 4 },
  { step: "bodies", name: "a new folder", during: "load", aim: { kinds: ["mkdir"], places: ["files"] }, skip: 2 },
  {
    step: "bodies",
    name: "sync of a folder",
    during: "load",
    aim: { kinds: sync, places: ["segments", "files", "other"] },
    skip: 6,
  },
  {
    step: "bodies",
    name: "removal of a file",
    during: "load",
    aim: { kinds: ["unlink"], places: ["body", "spool"] },
    skip: 1,
  },
  { step: "commit", name: "write to the log", during: "load", aim: { kinds: write, places: ["log"] }, skip: 400 },
  { step: "commit", name: "sync of the log", during: "load", aim: { kinds: sync, places: ["log"] }, skip: 80 },
  {
    step: "checkpoint",
    name: "write to the database",
    during: "load",
    aim: { kinds: write, places: ["database"] },
    skip: 20,
  },
  {
    step: "checkpoint",
    name: "sync of the database",
    during: "load",
    aim: { kinds: sync, places: ["database"] },
    skip: 0,
  },
  { step: "RETR", name: "after part of a body", during: "load", point: "within an answer to RETR", skip: 6 },
  { step: "QUIT", name: "right after it was sent", during: "load", point: "behind QUIT", skip: 4 },
  {
    step: "QUIT",
    name: "write of its commit",
    during: "load",
    point: "before QUIT",
    aim: { kinds: write, places: ["log"] },
    skip: 4,
  },
  {
    step: "QUIT",
    name: "sync of its commit",
    during: "load",
    point: "before QUIT",
    aim: { kinds: sync, places: ["log"] },
    skip: 4,
  },
  { step: "start", name: "write to the log", during: "start", aim: { kinds: write, places: ["log"] }, skip: 2 },
  {
    step: "start",
    name: "write to the database",
    during: "start",
    aim: { kinds: write, places: ["database"] },
    skip: 8,
  },
  { step: "start", name: "sync of the database", during: "start", aim: { kinds: sync, places: ["database"] }, skip: 0 },
  {
    step: "start",
    name: "the log is emptied",
    during: "start",
    aim: { kinds: ["truncate"], places: ["log"] },
    skip: 0,
  },
  { step: "start", name: "sync of a folder", during: "start", aim: { kinds: sync, places: ["other"] }, skip: 2 },
  {
    step: "start",
    name: "removal of a file",
    during: "start",
    aim: { kinds: ["unlink"], places: ["spool", "segment", "body"] },
    skip: 0,
  },
  { step: "stop", name: "write to the database", during: "stop", aim: { kinds: write, places: ["database"] }, skip: 8 },
  { step: "stop", name: "sync of the database", during: "stop", aim: { kinds: sync, places: ["database"] }, skip: 0 },
  { step: "stop", name: "removal of the log", during: "stop", aim: { kinds: ["unlink"], places: ["log"] }, skip: 0 },
];
