import { install, importUsers } from "../../e2e/harness/installation.ts";
import { domain } from "../../e2e/harness/configuration.ts";
import { residentMib } from "../../e2e/harness/memory.ts";
import { Pop3 } from "../../e2e/harness/pop3.ts";
import { Random } from "../../e2e/harness/random.ts";
import { serve, type Server } from "../../e2e/harness/server.ts";
import { keepCase, readCorpus } from "../corpus.ts";
import { readDialogue, smallerDialogues, writeDialogue, type Dialogue } from "../dialogue.ts";
import { mutateDialogue } from "../mutate-dialogue.ts";
import { hold, type Target } from "../target.ts";
import { transcriptDialogues } from "../targets/pop3.ts";
import { Account, PASSWORD } from "./account.ts";
import { converse, type Doors, type Leave, type Plan, type Way } from "./conversation.ts";
import { hear, type ServerFacts } from "./hearing.ts";

/*
 * The whole server in a process of its own: several conversations at once, each with an account of its own, in clear text,
 * behind STLS and on the POP3S port; half-closed, reset, or not read.
 */

// Names that no small change makes of one another. A refused login is held for a second: many wait while others go on.
const NAMES = "anna bert cora dora emil fred gerd hugo ines jens kurt lena mike nora olaf paul rita sven tina uwe"
  .split(" ")
  .map((name) => `${name}-of-the-house`);
const MOST_ACTS = 24;
const MOST_GROWTH_MIB = 96;
const WARM_CONVERSATIONS = 200;
const SMALLER_TRIES = 60;
const MOST_FINDINGS = 4;
const MOST_COVER = 20;
const MOST_COVER_OCTETS = 1000;

type Failure = { readonly dialogue: Dialogue; readonly plan: Plan; readonly failure: Error };

/** Where the cases are kept; they are tried by more than a function can. */
const corpus: Target<Dialogue> = {
  name: "server",
  read: readDialogue,
  write: writeDialogue,
  seeds: transcriptDialogues,
  mutate: mutateDialogue,
  smaller: smallerDialogues,
  attempt: () => [],
  story: writeDialogue,
};

/** Fuzzes a real server for so many seconds; gives the number of findings. `keep`: what shows something new is kept. */
export async function fuzzServer(seed: number, seconds: number, keep: boolean): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const installation = await install(stack, { config: { auth: { allow_cleartext: true } } });
  await installation.mustCli(["domain", "add", domain]);
  await importUsers(
    installation,
    NAMES.map((name) => [`${name}@${domain}`, `{PLAIN}${PASSWORD}`]),
  );
  const server = await serve(stack, installation);
  const fuzz = new ServerFuzz(server, seed);
  await fuzz.begin();
  const started = performance.now();
  const spent = () => (performance.now() - started) / 1000;
  await fuzz.run(() => spent() < seconds);
  console.log(
    `server    ${fuzz.conversations} conversations, ${(fuzz.conversations / spent()).toFixed(1)} a second, ` +
      `${fuzz.kinds} kinds of behaviour, memory ${fuzz.memory}`,
  );
  if (keep) for (const each of fuzz.cover()) keepCase(corpus, each, "kept");
  const findings = [...(await fuzz.tell()), ...fuzz.complaints()];
  for (const finding of findings) console.log(`\n--- server: ${finding}`);
  return findings.length;
}

class ServerFuzz {
  readonly failures: Failure[] = [];
  conversations = 0;
  readonly #server: Server;
  readonly #seed: number;
  readonly #accounts: readonly Account[];
  readonly #doors: Doors;
  readonly #population: Dialogue[];
  readonly #new: Dialogue[] = [];
  readonly #seen = new Set<string>();
  #facts: ServerFacts = { scram: false };
  #warmMib = 0;

  constructor(server: Server, seed: number) {
    this.#server = server;
    this.#seed = seed;
    this.#accounts = NAMES.map((name) => new Account(server, name));
    this.#doors = { ...server.ports, ca: server.installation.ca };
    this.#population = [...transcriptDialogues(), ...readCorpus(corpus).map(({ each }) => each)];
  }

  get kinds(): number {
    return this.#seen.size;
  }

  get memory(): string {
    return `${Math.round(this.#warmMib)} MiB, then ${Math.round(residentMib(this.#server.pid))} MiB`;
  }

  /** Fills the maildrops, and tries what was found before. */
  async begin(): Promise<void> {
    for (const account of this.#accounts) await account.look(undefined);
    const { pop3s, ca } = this.#doors;
    await using session = await Pop3.open(pop3s, { tls: "implicit", ca });
    this.#facts = { scram: (await session.lines("CAPA")).some((line) => /^SASL .*SCRAM-SHA-256/.test(line)) };
    await session.quit();
    const [account] = this.#accounts;
    for (const { each } of readCorpus(corpus))
      for (const way of ["clear", "stls", "tls"] as const)
        if (account !== undefined) await this.#try(account, each, { way, leave: "half", acts: each.acts, octets: 0 });
  }

  /** Conversations of all accounts at once; after each of them its maildrop is as it has to be. */
  async run(goesOn: () => boolean): Promise<void> {
    const loop = async (account: Account, random: Random): Promise<void> => {
      while (goesOn() && this.failures.length < MOST_FINDINGS && this.#server.running) {
        const { dialogue, plan } = this.#plan(random);
        await this.#try(account, dialogue, plan);
        if (this.conversations === WARM_CONVERSATIONS) this.#warmMib = residentMib(this.#server.pid);
      }
    };
    await Promise.all(this.#accounts.map((account, at) => loop(account, new Random(this.#seed + at))));
  }

  /** What showed something new and is small. */
  cover(): readonly Dialogue[] {
    return this.#new.filter((each) => writeDialogue(each).length <= MOST_COVER_OCTETS).slice(0, MOST_COVER);
  }

  /** Each failure as small as it can be made, as a story. */
  async tell(): Promise<string[]> {
    const told: string[] = [];
    for (const failure of this.failures.splice(0)) {
      const { plan, dialogue, failure: cause } = await this.#shrink(failure);
      const file = keepCase(corpus, dialogue, "found", `${plan.way}, ${plan.leave}: ${cause.message.slice(0, 160)}`);
      told.push(`${cause.message}\n--- ${plan.way}, ${plan.leave}; ${file}\n${writeDialogue(dialogue)}`);
    }
    return told;
  }

  /** What the server itself says that it must not, and what it has become. */
  complaints(): string[] {
    const growth = residentMib(this.#server.pid) - this.#warmMib;
    const errors = this.#server.log.filter(({ level, event }) => level === "error" || event === "connection.failed");
    return [
      ...(this.#server.running ? [] : ["the server has ended"]),
      ...new Set(errors.map((line) => `its log has ${JSON.stringify(line).slice(0, 600)}`)),
      ...(this.#warmMib > 0 && growth > MOST_GROWTH_MIB ? [`its memory grew: ${this.memory}`] : []),
    ];
  }

  #plan(random: Random): { readonly dialogue: Dialogue; readonly plan: Plan } {
    const [one, other] = [random.pick(this.#population), random.pick(this.#population)];
    const dialogue = mutateDialogue(one, other, random);
    const way: Way = random.pick(["clear", "stls", "tls"]);
    const leave: Leave = random.pick(["half", "half", "half", "reset", "reset", "unread"]);
    const octets = random.pick([0, 1, 100, 2000, 50_000]);
    return { dialogue, plan: { way, leave, acts: dialogue.acts.slice(0, MOST_ACTS), octets } };
  }

  async #try(account: Account, dialogue: Dialogue, plan: Plan): Promise<void> {
    this.conversations += 1;
    try {
      const seen = await this.#attempt(account, plan);
      const isNew = seen.some((kind) => !this.#seen.has(kind));
      for (const kind of seen) this.#seen.add(kind);
      if (!isNew) return;
      this.#population.push(dialogue);
      this.#new.push(dialogue);
    } catch (cause) {
      const failure = cause instanceof Error ? cause : new Error(String(cause));
      this.failures.push({ dialogue: { ...dialogue, acts: plan.acts }, plan, failure });
      await account.look(undefined).catch(() => undefined);
    }
  }

  async #attempt(account: Account, plan: Plan): Promise<readonly string[]> {
    const acts = plan.acts.map((act) => inTheNameOf(account.name, act));
    const heard = await converse(this.#doors, { ...plan, acts });
    const { after, seen } = hear(account, plan.way, plan.acts, heard, this.#facts);
    await account.look(after);
    hold(this.#server.running, "crash", () => "the server has ended");
    return seen;
  }

  async #shrink(given: Failure): Promise<Failure> {
    let small = given;
    let left = SMALLER_TRIES;
    const [account] = this.#accounts;
    if (account === undefined || given.plan.leave !== "half" || !this.#server.running) return given;
    for (let goesOn = true; goesOn;) {
      goesOn = false;
      for (const dialogue of smallerDialogues({ givens: [], acts: small.dialogue.acts })) {
        if (left-- <= 0) return small;
        const plan = { ...small.plan, acts: dialogue.acts };
        const failure = await this.#attempt(account, plan).then(
          () => undefined,
          (cause: unknown) => cause,
        );
        if (!(failure instanceof Error)) continue;
        await account.look(undefined).catch(() => undefined);
        small = { dialogue, plan, failure };
        goesOn = true;
        break;
      }
    }
    return small;
  }
}

/** The people of the transcripts become the one of the account, also in what is base64. */
function inTheNameOf(name: string, act: string): string {
  const people = /(?<![a-z])(?:tim|ann|user)(?![a-z])/g;
  const clear = act.replace(/^(?=USER )/i, "").replaceAll(people, name);
  return clear.replaceAll(/[A-Za-z0-9+/]{8,}={0,2}/g, (token) => {
    const inside = Buffer.from(token, "base64");
    if (inside.toString("base64") !== token) return token;
    const changed = inside.toString("latin1").replaceAll(people, name);
    return Buffer.from(changed, "latin1").toString("base64");
  });
}
