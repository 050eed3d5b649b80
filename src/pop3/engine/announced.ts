import type { MechanismPolicy } from "../../auth/engine/channel.ts";

/** What CAPA says before a login is of all accounts together (rules 2449-07, 2449-08). */
export type Announced = {
  readonly mechanisms: MechanismPolicy;
  /** The shortest of all; 0: nobody's mail ever expires. `perUser`: it is not the same for all. */
  readonly expire: { readonly days: number; readonly perUser: boolean };
  /** The longest of all; 0: none has one. */
  readonly loginDelay: { readonly seconds: number; readonly perUser: boolean };
};
