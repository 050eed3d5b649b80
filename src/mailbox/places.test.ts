import assert from "node:assert/strict";
import { test } from "node:test";
import type { Address } from "../model/address.ts";
import type { Uid } from "../model/ids.ts";
import { Places } from "./places.ts";
import { MemoryStore } from "./testing.ts";

function house(messages: number) {
  const store = new MemoryStore();
  const { inbox } = store.addAccount("ann@example.test" as Address);
  for (let count = 0; count < messages; count += 1) store.deliver(inbox, Buffer.from(`${count}`));
  const asked: string[] = [];
  const places = new Places(
    {
      locateFrom: (mailbox, uid, limit) => {
        asked.push(`${uid}+${limit}`);
        return store.mail.locateFrom(mailbox, uid, limit);
      },
    },
    inbox,
  );
  const bodies = store.boxes.get(inbox)?.rows.map((row) => row.place.body) ?? [];
  const look = async (uid: number) => (places.known(uid as Uid) ?? (await places.find(uid as Uid)))?.place.body;
  return { asked, places, bodies, look };
}

test("who fetches in order needs few statements, whatever they repeat", async () => {
  const { asked, bodies, look } = house(40);
  for (let uid = 1; uid <= 40; uid += 1) {
    for (let time = 0; time < 2; time += 1) assert.equal(await look(uid), bodies[uid - 1]);
  }
  assert.deepEqual(asked, ["1+1", "2+4", "6+16", "22+16", "38+16"]);
});

test("who looks here and there has one row read at a time", async () => {
  const { asked, bodies, look } = house(40);
  for (const uid of [40, 7, 3, 5]) assert.equal(await look(uid), bodies[uid - 1]);
  assert.deepEqual(asked, ["40+1", "7+1", "3+1", "5+4"]);
  assert.equal(await look(4), bodies[3]);
  assert.equal(await look(41), undefined);
  assert.equal(await look(42), undefined);
});

test("messages that were removed are skipped over, and what may be stale is asked again", async () => {
  const { places, bodies, look } = house(9);
  assert.equal(await look(1), bodies[0]);
  assert.equal(await look(2), bodies[1]);
  assert.equal(places.known(4 as Uid)?.place.body, bodies[3]);
  assert.equal(places.known(3 as Uid), undefined, "what was gone past is not kept");
  assert.equal((await places.find(4 as Uid))?.place.body, bodies[3]);
});
