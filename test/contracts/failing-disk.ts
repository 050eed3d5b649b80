import type { Disk } from "../../src/store/disk.ts";
import { DiskError, systemDisk } from "../../src/store/disk.ts";

/** What a verb does instead of its work: an error, or its work on less than was asked. */
export type Fault = { readonly kind: "full" | "failed"; readonly when?: (path: string) => boolean };

/** The machine's disk, with verbs that can be made to fail. */
export type FailingDisk = { readonly disk: Disk; readonly faults: Map<keyof Disk, Fault>; readonly calls: string[] };

export function failingDisk(): FailingDisk {
  const faults = new Map<keyof Disk, Fault>();
  const calls: string[] = [];
  const wrapped = Object.fromEntries(
    Object.entries(systemDisk).map(([verb, work]) => [
      verb,
      (...given: unknown[]) => {
        calls.push(verb);
        const fault = faults.get(verb as keyof Disk);
        const fails = fault !== undefined && (fault.when?.(String(given[0])) ?? true);
        if (!fails) return (work as (...all: unknown[]) => unknown)(...given);
        const error = new DiskError(fault.kind, `${verb} was made to fail`, { sync: verb.includes("sync") });
        if (verb.endsWith("Sync")) throw error;
        return Promise.reject(error);
      },
    ]),
  );
  return { disk: wrapped as Disk, faults, calls };
}
