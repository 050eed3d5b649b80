/** What one listener's POP3 is told. */
export type Pop3Options = {
  readonly hostname: string;
  /** What CAPA names as IMPLEMENTATION. */
  readonly implementation: string;
  readonly idleSeconds: number;
  readonly writeStallSeconds: number;
  /** Whether this listener can upgrade to TLS. */
  readonly stlsPossible: boolean;
};
