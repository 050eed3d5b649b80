import { hash } from "node:crypto";
import type { AppPassword, Device } from "../model/device.ts";
import type { AccountId } from "../model/ids.ts";

/** The device that a login came from, as far as its credential and its place tell. */
export function deviceOf(account: AccountId, appPassword: AppPassword | undefined, place: string): Device {
  if (appPassword) {
    const { id, name, noDelete } = appPassword;
    return { appPassword: id, name, noDelete, mark: markOf(`app password ${id}`) };
  }
  // By whatever mechanism: a client that takes another one at its next login is the same client.
  return { appPassword: null, name: "", noDelete: false, mark: markOf(`account ${account} at ${place}`) };
}

function markOf(text: string): number {
  // 0 means nobody in a lease.
  return hash("sha256", text, "buffer").readUInt32LE(0) || 1;
}
