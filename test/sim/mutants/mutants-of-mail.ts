import type { Mutant } from "./mutant.ts";

const LEASES = "src/store/leases.ts";
const OPEN = "src/mailbox/open.ts";
const APPEND = "src/store/write/append.ts";

const UID_AGAIN = {
  file: APPEND,
  find: "  const { uid } = next;\n",
  replace:
    "  const uid = (await import('../sql/mailboxes.ts').then((m) => m.snapshotOf(sql, mailbox)))?.messages === 0 ? (1 as Uid) : next.uid;\n",
} as const;

/** Mistakes in whose mail is there, under which name, and who may remove it. */
export const mailMutants: readonly Mutant[] = [
  {
    name: "update-on-a-lost-connection",
    mistake: "a session that is cut removes what it had marked",
    edits: [
      {
        file: "src/pop3/session.ts",
        find: "    if (!this.#updating) this.#finish();\n",
        replace: `    const { state } = this.#session;
    if (state.phase === "transaction" && this.#maildrop !== undefined)
      void this.#maildrop.update(state.drop.marked()).then(() => this.#finish());
    else if (!this.#updating) this.#finish();
`,
      },
    ],
    within: 0,
  },
  {
    name: "half-a-quit",
    mistake: "a QUIT removes its messages in two transactions",
    edits: [
      {
        file: OPEN,
        find: "      const outcome = await mail.expunge(this.#owner.mailbox, sound, cause, seen);\n",
        replace: `      if (sound.length > 1) {
        const first = await mail.expunge(this.#owner.mailbox, sound.subarray(0, sound.length >> 1), cause);
        if (!first.ok) return first;
      }
      const outcome = await mail.expunge(this.#owner.mailbox, sound.subarray(sound.length >> 1), cause);
`,
      },
    ],
    within: 0,
  },
  {
    name: "uid-and-tag-again",
    mistake: "an empty maildrop begins its UIDLs anew",
    edits: [UID_AGAIN, { file: APPEND, find: "    uidl_tag: randomTag(),\n", replace: "    uidl_tag: 7,\n" }],
    within: 0,
  },
  {
    name: "uid-of-a-pending-removal",
    mistake: "an empty maildrop begins its uids anew, also while a removal of them is to be carried out",
    edits: [UID_AGAIN],
    within: 0,
  },
  {
    name: "restored-under-the-old-name",
    mistake: "undelete brings a message back under the UIDL that it had",
    edits: [
      {
        file: "src/store/write/restore.ts",
        find: "{ uid: (next.uid + index) as Uid, uidl_tag: randomTag(), uidl: null }",
        replace: "{ uid: row.uid, uidl_tag: row.uidl_tag, uidl: row.uidl }",
      },
    ],
    within: 0,
  },
  {
    name: "uidl-by-page",
    mistake: "the UIDL of a message depends on how many are listed with it",
    edits: [
      {
        file: "src/store/sql/messages.ts",
        find: "    tags[index] = Number(tag);\n",
        replace: "    tags[index] = Number(tag) ^ (rows.length === 3 ? 1 : 0);\n",
      },
    ],
    within: 0,
  },
  {
    name: "pending-removal-is-listed",
    mistake: "a listing shows what waits to be removed",
    edits: [
      {
        file: "src/store/sql/messages.ts",
        find: "  if (pending.length === 0) return packed(rows);\n",
        replace: "  if (pending.length < 9) return packed(rows);\n",
      },
    ],
    within: 0,
  },
  {
    name: "removal-takes-neighbours",
    mistake: "a large removal that is carried out takes messages between those that were marked",
    edits: [
      {
        file: "src/store/write/carry-out.ts",
        find: "    chosen.push(...page.filter((uid) => uids.has(uid)));\n",
        replace: "    chosen.push(...page);\n",
      },
    ],
    within: 0,
  },
  {
    name: "lease-outlives-its-session",
    mistake: "a session that is cut keeps its lease",
    edits: [
      {
        file: "src/pop3/session.ts",
        find: "    if (!this.#updating) this.#finish();\n",
        replace: "    if (!this.#updating) this.#maildrop = undefined;\n",
      },
    ],
    within: 0,
  },
  {
    name: "lease-of-two",
    mistake: "a second session opens a maildrop that another one has",
    edits: [
      {
        file: LEASES,
        find: "    if (stateOf(word) !== HELD || takeOver === undefined) return Number.POSITIVE_INFINITY;\n",
        replace:
          "    if (stateOf(word) === HELD) return 0;\n    if (takeOver === undefined) return Number.POSITIVE_INFINITY;\n",
      },
      { file: LEASES, find: "    before?.tellLost();\n", replace: "" },
      {
        file: LEASES,
        find: "    if (stateOf(word) === HELD && threadOf(word) !== this.#thread) this.#channel?.postMessage(mailbox);\n",
        replace: "    void threadOf;\n",
      },
    ],
    within: 0,
  },
  {
    name: "update-after-a-take-over",
    mistake: "a session whose maildrop was taken over is not told, and its QUIT removes",
    edits: [
      { file: LEASES, find: "    before?.tellLost();\n", replace: "" },
      {
        file: LEASES,
        find: "    if (stateOf(word) === HELD && threadOf(word) !== this.#thread) this.#channel?.postMessage(mailbox);\n",
        replace: "    void threadOf;\n",
      },
      {
        file: OPEN,
        find: "    if (this.#released || !this.#lease.beginUpdate()) {\n",
        replace: "    if (this.#released) {\n",
      },
    ],
    within: 0,
  },
  {
    name: "retention-without-a-lease",
    mistake: "retention removes from a maildrop that is in session",
    edits: [
      {
        file: "src/mailbox/retention.ts",
        find: "  const lease = await leases.acquire(mailbox, { waitMs: 0, job: true }, () => undefined);\n  if (!lease.ok) return NONE;\n",
        replace: "  const lease = { value: { beginUpdate: () => leases !== undefined, release: () => undefined } };\n",
      },
    ],
    within: 0,
  },
  {
    name: "answer-before-the-lease",
    mistake: "what a maildrop holds is read before its lease is taken",
    edits: [
      {
        file: OPEN,
        find: "      const taken = await lease(owner, lost);\n",
        replace:
          "      const early = await mail.snapshot(owner.mailbox);\n      const taken = await lease(owner, lost);\n",
      },
      {
        file: OPEN,
        find: "        const snapshot = await mail.snapshot(owner.mailbox);\n",
        replace: "        const snapshot = early;\n",
      },
    ],
    within: 0,
  },
];
