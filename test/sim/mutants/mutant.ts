/** One place of a mistake: in a file of src, by its text. */
export type Edit = { readonly file: string; readonly find: string; readonly replace: string };

/** A deliberate mistake, for the simulator to find. */
export type Mutant = {
  readonly name: string;
  /** What is wrong with it. */
  readonly mistake: string;
  readonly edits: readonly Edit[];
  /** Seeds within which it has to be found: about three times as many as it took. */
  readonly within: number;
};
