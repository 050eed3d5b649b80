import type { OpenRefusal } from "../store/open-refusal.ts";
import type { LockRefusal } from "../store/lock.ts";

/** Why the data folder's lock was not had, as a sentence that says what to do. */
export function lockSentence(refusal: LockRefusal, folder: string): string {
  const sentences: Record<LockRefusal, string> = {
    held: `another Mailkeep runs on the data folder ${folder}. Stop it first, or set server.data_directory to another folder.`,
    missing: `the data folder ${folder} cannot be made: the folder above it is not there.`,
    "not-a-folder": `${folder} is not a folder. Set server.data_directory to one.`,
    "read-only": `the data folder ${folder} is read-only. Make it writable for the user that runs mailkeep, or set server.data_directory to another folder.`,
    full: `there is no room left on the disk of the data folder ${folder}.`,
    failed: `the data folder ${folder} cannot be used: the disk reported an error.`,
  };
  return sentences[refusal];
}

/** Why the store was not opened, as a sentence that says what to do. */
export function openSentence({ kind, reason }: OpenRefusal, folder: string): string {
  const next = {
    newer: "Start the version of Mailkeep that made it, or a later one.",
    damaged: "Nothing was changed. Restore the folder from a backup, or ask for help before you touch it.",
    full: "Make room on the disk and start again.",
    failed: "See to the disk and start again.",
  };
  return `the store in ${folder} cannot be opened: ${reason.replace(/\.$/, "")}. ${next[kind]}`;
}
