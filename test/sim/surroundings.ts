/** What an oracle may know of the world besides what clients tell it. */
export type Surroundings = {
  /** Ms that only grow, of the world and not of the program. */
  readonly now: () => number;
  readonly wall: () => number;
  /** How many times the server was started. */
  readonly life: () => number;
  /** Whether the disk fails, ever: then a commit may be in doubt. */
  readonly disksFail: boolean;
  /** Whether it may fail now: then a read may. */
  readonly readsFail: () => boolean;
  /** When a sync of the writer failed in this life: from then on nothing may be acknowledged. Infinity: none has. */
  readonly stoppedAt: () => number;
  readonly takeoverSeconds: number;
  /** Whether what is removed goes where undelete finds it. */
  readonly keeps: boolean;
};
