/** The outcome of what a caller must handle: a value, or an error named by a string literal (STYLE §6). */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

/** Wraps a value as a success. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** Wraps an error as a failure. */
export function err<const E>(error: E): {
  readonly ok: false;
  readonly error: E;
} {
  return { ok: false, error };
}
