import type { House } from "./house.ts";
import { MECHANISMS } from "./sasl.ts";

/** The lines that CAPA has to say, but for those that say nothing of what is allowed. */
export function capabilitiesOf(house: House, secure: boolean, inTransaction: boolean): string[] {
  const wanted = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "UTF8 USER", "LANG"];
  wanted.push(`EXPIRE ${inTransaction ? house.ownExpire : house.expire}`);
  const names = MECHANISMS.filter((name) => isAnnounced(house, name, secure));
  if (secure || house.cleartext) wanted.push("USER", ["SASL", ...names].join(" "));
  if (house.stls && !secure && !inTransaction) wanted.push("STLS");
  return wanted;
}

/** A line of CAPA that is the house's own. */
export function isDecoration(line: string): boolean {
  return /^(?:IMPLEMENTATION |LOGIN-DELAY \d+(?: USER)?$)/.test(line);
}

/** Whether CAPA names the mechanism. */
export function isAnnounced(house: House, name: string, secure: boolean): boolean {
  return isUsable(house, name, secure) && !(house.plusHidden && name.endsWith("-PLUS"));
}

/** Whether AUTH takes the mechanism. */
export function isUsable(house: House, name: string, secure: boolean): boolean {
  const { scram, scramSha1, oauth, certificate, bindings } = house;
  if (!secure && !house.cleartext) return false;
  if (name === "EXTERNAL") return certificate && secure;
  if (name === "OAUTHBEARER" || name === "XOAUTH2") return oauth && secure;
  if (!name.startsWith("SCRAM")) return true;
  const cannotBind = name.endsWith("-PLUS") && (!secure || bindings.size === 0);
  return scram && (scramSha1 || name.includes("256")) && !cannotBind;
}
