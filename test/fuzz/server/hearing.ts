import { newGiven, World } from "../../../src/pop3/testing/world.ts";
import { clientLines } from "../rules/client-lines.ts";
import type { House, HouseMessage } from "../rules/house.ts";
import { Judge } from "../rules/judge.ts";
import { Cut, Replies } from "../rules/replies.ts";
import { signatureOf } from "../rules/sasl.ts";
import { hold, show } from "../target.ts";
import { PASSWORD, type Account } from "./account.ts";
import type { Heard, Way } from "./conversation.ts";

/** What is known of a server before anybody speaks. */
export type ServerFacts = { readonly scram: boolean };

/** What became of the maildrop: one of these; undefined: it cannot be told. */
export type Hearing = {
  readonly after: readonly (readonly HouseMessage[])[] | undefined;
  readonly seen: readonly string[];
};

/** Holds what a real server has said to the rules; `acts`: what was sent, as in a transcript. */
export function hear(account: Account, way: Way, acts: readonly string[], heard: Heard, facts: ServerFacts): Hearing {
  let isSomebodyElse = false;
  const house: House = {
    tls: way === "tls",
    stls: true,
    cleartext: true,
    scramSha1: false,
    plusHidden: true,
    oauth: false,
    certificate: false,
    expire: "NEVER",
    ownExpire: "NEVER",
    foreign: false,
    noDelete: false,
    busy: true,
    scram: facts.scram,
    bindings: heard.bindings,
    messages: account.messages,
    faults: { login: undefined, facts: undefined, open: undefined, listing: undefined, update: undefined },
    knows: (claim) => {
      const name = account.name;
      const isHim = claim.user === name || claim.user === account.address;
      // Names are read in several ways, and one that is written otherwise may be his, or his junk's.
      isSomebodyElse ||= !isHim && claim.user.normalize("NFKC").trim().toLowerCase().startsWith(name.slice(0, 3));
      if (claim.kind === "password") return isHim && claim.password === PASSWORD ? {} : undefined;
      const signature = claim.kind === "scram" && isHim ? signatureOf(claim, PASSWORD) : undefined;
      return signature === undefined ? undefined : { signature };
    },
  };
  const replies = new Replies(heard.said, heard.isWhole);
  const seen: string[] = [];
  let judge: Judge | undefined;
  try {
    judge = new Judge(house, replies);
    for (const [at, line] of clientLines(heard.acts).entries()) {
      const isFirst = at === 0 && way === "stls";
      // How octets came together is not to be known.
      const before = judge.secure;
      judge.take(isFirst ? line : { ...line, behind: -1 });
      if (isSomebodyElse) return { after: undefined, seen: judge.seen };
      if (judge.secure && !before && !isFirst) return endOfClear(account, replies, judge);
    }
    const { rest } = replies;
    hold(!heard.isWhole || rest === "", "2449-05", () => `the server says more: ${show(rest)}`);
  } catch (cause) {
    if (!(cause instanceof Cut)) throw cause;
  }
  seen.push(...(judge?.seen ?? []));
  return { after: mayBeLeft(account, judge, way, acts), seen };
}

// A handshake was begun and never made: nothing that came behind it may have been taken for a command (rule TLS-02).
function endOfClear(account: Account, replies: Replies, judge: Judge): Hearing {
  const { rest } = replies;
  hold(/^(?:\x15\x03[^]*)?$/.test(rest), "TLS-02", () => `behind STLS it says ${show(rest)}`); // oxlint-disable-line eslint/no-control-regex
  return { after: [account.messages], seen: judge.seen };
}

/** A QUIT whose answer was not heard has removed all that was marked, or nothing. */
function mayBeLeft(account: Account, judge: Judge | undefined, way: Way, acts: readonly string[]) {
  const { messages } = account;
  const without = (numbers: readonly number[]) => messages.filter((_, at) => !numbers.includes(at + 1));
  if (judge?.removed !== undefined) return [without(judge.removed)];
  if (judge?.updating !== undefined) return [messages, without(judge.updating)];
  if (judge?.phase === "over") return [messages];
  // The client left with answers unread: as far as the server has gone on, it did what the engine does.
  return [messages, without(removedByEngine(messages, way, acts))];
}

function removedByEngine(messages: readonly HouseMessage[], way: Way, acts: readonly string[]): readonly number[] {
  const given = newGiven();
  const mechanisms = { ...given.announced.mechanisms, allowCleartext: true };
  const world = new World({
    ...given,
    tls: way !== "clear",
    announced: { ...given.announced, mechanisms },
    messages: [...messages],
  });
  for (const act of acts) world.hear(act);
  return world.removed ?? [];
}
