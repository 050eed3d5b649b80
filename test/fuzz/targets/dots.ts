import { Outgoing } from "../../../src/pop3/engine/outgoing.ts";
import { unstuff } from "../../e2e/harness/dots.ts";
import { Random } from "../../e2e/harness/random.ts";
import { cutOctets, mutateOctets, smallerOctets } from "../mutate-octets.ts";
import { readLines, writeLines } from "../octet-text.ts";
import { wireOf } from "../rules/replies.ts";

import { hold, show, type Target } from "../target.ts";
import { MESSAGES } from "../words.ts";
import { classes } from "./data.ts";

// A line end and a dot, which the terminator begins with where the text has no end of its own.
const GUARD = "guard";

/** The dot codec and TOP's cutter, in pieces with and without room around them. */
export const dots: Target<string> = {
  name: "dots",
  read: readLines,
  write: writeLines,
  seeds: () => MESSAGES,
  mutate: (octets, other, random) => mutateOctets(octets, other, MESSAGES, random),
  smaller: smallerOctets,
  attempt,
  story: writeLines,
};

function attempt(octets: string): readonly string[] {
  const random = new Random(octets.length);
  const dotted = /(?:^|\n)\./.test(octets);
  const most = (octets.match(/\n/g) ?? []).length + 1;
  const counts = [undefined, random.pick([0, 1, random.between(0, most), Number.MAX_SAFE_INTEGER])];
  for (const lines of counts) {
    const wanted = wireOf(octets, lines);
    for (const pieces of [[octets], cutOctets(octets, random), octets.length < 1000 ? octets.split("") : []]) {
      if (pieces.length === 0 && octets !== "") continue;
      for (const room of [undefined, random.pick([0, 1, 3, 40])]) {
        const found = send(pieces, dotted, lines, room);
        hold(
          found === wanted,
          "1939-11, 1939-12, 1939-13",
          () => `lines ${lines}, room ${room}: ${show(found)} and not ${show(wanted)}`,
        );
      }
    }
  }
  const bare = octets.replace(/\r$/, "").replaceAll(/\r?\n/g, "\r\n");
  const back = unstuff(Buffer.from(wireOf(bare).replace(/\.\r\n$/, ""), "latin1")).toString("latin1");
  hold(back === bare || back === `${bare}\r\n`, "1939-11", () => `comes back as ${show(back)}`);
  return [`${dotted} ${most > 5 ? "many" : most} ${classes(octets)}`];
}

/** With room, a piece lies in a buffer of its own: nothing in front of the room or behind the piece may be touched. */
function send(pieces: readonly string[], dotted: boolean, lines: number | undefined, room: number | undefined): string {
  const kept = { before: 5, behind: 5 };
  const outgoing = new Outgoing(dotted, lines, room === undefined ? undefined : { before: room, kept });
  let sent = "";
  for (const piece of pieces) {
    const before = GUARD.length + (room ?? 0);
    const buffer = Buffer.from(GUARD + "r".repeat(room ?? 0) + piece + GUARD, "latin1");
    const out = outgoing.push(buffer.subarray(before, before + piece.length));
    sent += Buffer.from(out.buffer, out.byteOffset, out.length).toString("latin1");
    const guards = [
      buffer.toString("latin1", 0, GUARD.length),
      buffer.toString("latin1", buffer.length - GUARD.length),
    ];
    hold(
      guards.every((guard) => guard === GUARD),
      "1939-11",
      () => "octets beside the room were touched",
    );
    if (outgoing.done) break;
  }
  return sent + Buffer.from(outgoing.end()).toString("latin1");
}
