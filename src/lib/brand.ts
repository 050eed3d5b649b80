declare const brand: unique symbol;

/** A value that was checked once and says so by its type: `Brand<string, "Address">` comes only from its parser. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
