/*
 * Every log event, once. Names are public contract; fields are facts, never sentences and never secrets (P7). Add a row
 * here before you log: a missing or wrong field does not compile.
 */

type Kept<Fields> = { readonly help: string; readonly fields?: Fields };

function event<Fields extends Record<string, unknown> = Record<never, never>>(help: string): Kept<Fields> {
  return { help };
}

type PeerFields = { peer: string };

export const events = {
  "server.starting": event<{ version: string; node: string; data: string }>("The server begins to start."),
  "server.ready": event<{
    listeners: string[];
    threads: number;
    startMs: number;
  }>("Every listener is bound."),
  "server.postmaster.missing": event<{ address: string }>(
    "The account that server.postmaster names is not there or disabled: mail to postmaster has to wait.",
  ),
  "secrets.made_anew": event<{ file: string }>(
    "There was no key for sealed credentials beside accounts that are there, so one was made: app passwords and SCRAM logins that went with the lost one do not work until the file is restored, or they are made again.",
  ),
  "server.stopping": event<{ signal: string }>("No new connections are accepted; sessions may finish."),
  "server.stopped": event<{ sessionsCut: number }>("Everything is closed."),
  "server.reloaded": event<{ changed: string[] }>("The configuration was read again and applied."),
  "server.reload.refused": event<{ reason: string; keys: string[] }>(
    "The configuration was read again and not applied.",
  ),
  "server.failed": event<{ reason: string }>("The server could not go on."),
  "thread.died": event<{ thread: string; reason: string }>(
    "A thread ended by itself; a protocol thread is started again.",
  ),
  "thread.restarted": event<{ thread: string }>("A protocol thread serves again."),
  "listener.bound": event<{ protocol: string; address: string; tls: string }>("A listener accepts connections."),
  "listener.failed": event<{
    protocol: string;
    address: string;
    reason: string;
  }>("A listener had an error while it ran."),
  "connection.refused": event<{ protocol: string; reason: string; others: number } & PeerFields>(
    "A connection was turned away: too many in all (full), open from its network (connections) or new from it within a minute (rate), or not as a proxy's would be. One a second is logged, with the number of others since the last.",
  ),
  "connection.failed": event<{ protocol: string; reason: string } & PeerFields>(
    "A session met an error of ours and was closed.",
  ),
  "tls.loaded": event<{ names: string[]; until: string }>("A certificate was loaded."),
  "tls.failed": event<{ reason: string }>("A new certificate could not be loaded; the old one stays."),
  "tls.handshake.failed": event<{ protocol: string; reason: string } & PeerFields>("A client's handshake failed."),
  "login.ok": event<
    {
      protocol: string;
      account: string;
      device: string;
      mechanism: string;
      tls: string;
    } & PeerFields
  >("Somebody logged in; device is the name of the app password, if it was one."),
  "login.refused": event<
    {
      protocol: string;
      user: string;
      mechanism: string;
      reason: string;
    } & PeerFields
  >("A login was refused; the reason is for the operator only."),
  "login.unavailable": event<{ protocol: string; reason: string } & PeerFields>(
    "A login could not be judged: an outage, not a wrong password.",
  ),
  "login.blocked": event<{ key: string; seconds: number }>("Too many failures: an account or a network has to wait."),
  "oauth.refused": event<{ issuer: string; reason: string }>(
    "A token was not good; the issuer is the provider whose token it claimed to be, or empty.",
  ),
  "oauth.unavailable": event<{ issuer: string; url: string; reason: string }>(
    "A provider's keys or its answer about a token could not be had; its tokens cannot be judged while that lasts.",
  ),
  "places.not_noted": event<{ places: number; reason: string }>(
    "Where owners came from was not kept; a restart may forget that their devices are known.",
  ),
  "uses.not_noted": event<{ uses: number; reason: string }>(
    "When app passwords were used last could not be written; nothing else is lost.",
  ),
  "pop3.session": event<
    {
      session: string;
      account: string;
      device: string;
      tls: string;
      cipher: string;
      end: string;
      sent: number;
      octets: number;
      removed: number;
      seconds: number;
    } & PeerFields
  >("A POP3 session is over; device is empty where it was the account's own password."),
  "pop3.refused": event<{ account: string; device: string; reason: string } & PeerFields>(
    "Somebody logged in and got no maildrop: it is in use, or the last login is too short a time ago.",
  ),
  "pop3.unavailable": event<{ account: string; reason: string } & PeerFields>(
    "A maildrop could not be opened or listed; the client was told to try again or to tell its administrator.",
  ),
  "pop3.attack": event<{ kind: string } & PeerFields>(
    "A client did what only an attack does, such as commands behind STLS.",
  ),
  "smtp.delivered": event<
    {
      protocol: string;
      sender: string;
      recipients: number;
      octets: number;
      seconds: number;
    } & PeerFields
  >("A message was stored for all its recipients."),
  "smtp.refused": event<
    {
      protocol: string;
      reason: string;
      sender: string;
      recipient: string;
    } & PeerFields
  >("A recipient or a message was refused."),
  "smtp.unavailable": event<{ protocol: string; asked: string; reason: string } & PeerFields>(
    "A part of the server gave no answer; the client was told to try later.",
  ),
  "smtp.attack": event<{ protocol: string; kind: string } & PeerFields>(
    "A client did what only an attack does, such as bare line ends around a dot.",
  ),
  "store.opened": event<{ schema: number; accounts: number }>("The store is open."),
  "store.full": event<{ reason: string }>("Nothing can be stored: senders are told to try later."),
  "store.reserve.used": event<{ left: number }>(
    "The disk is full, and some of the room that is kept back was given up so that mail can be removed; octets that are left of it. New mail is refused until all of it is back.",
  ),
  "store.reserve.restored": event<Record<never, never>>("The room that is kept back for removals is whole again."),
  "store.failed": event<{ reason: string }>(
    "A write failed; what is acknowledged again depends on what the disk takes next.",
  ),
  "store.stopped": event<{ reason: string }>(
    "A sync failed: nothing is acknowledged any more. Look after the disk, then restart; the start begins from what is on disk.",
  ),
  "store.recovered": event<Record<never, never>>("Writes are acknowledged again."),
  "store.hangs": event<{ seconds: number }>(
    "The store has given no answer for so long: a write or a sync does not come back from the disk.",
  ),
  "store.answers": event<Record<never, never>>("The store answers again after it hung."),
  "store.damaged": event<{ account: string; uidl: string; reason: string }>(
    "A message's octets are not what was delivered; it was not sent as good mail.",
  ),
  "store.unreadable": event<{ account: string; uidl: string; reason: string }>(
    "A message could not be read: the disk or the database did not answer.",
  ),
  "scrub.found": event<{ kind: string; account: string; uidl: string; reason: string; mended: boolean }>(
    "A scrub found something wrong; mended says whether it was put right. account and uidl are empty where it is of no message.",
  ),
  "scrub.done": event<{
    messages: number;
    bodies: number;
    octets: number;
    found: number;
    mended: number;
    seconds: number;
  }>("A scrub came to its end."),
  "store.reclaimed": event<{ segments: number; moved: number }>("Reclaim gave space back."),
  "store.erased": event<{ messages: number; octets: number; reason: "age" | "space" | "not-kept" }>(
    "Removed mail that undelete kept is gone for good: it was old enough, or the disk was low.",
  ),
  "mail.expired": event<{ account: string; messages: number }>("Mail was removed because of its age."),
  "history.unwritten": event<{ reason: string; transfers: number }>(
    "What became of messages could not be written yet; it is tried again, and no mail is lost.",
  ),
  "admin.change": event<{ action: string; subject: string; detail?: string }>(
    "An administrator changed something: what, of whom, and which of theirs or how much.",
  ),
  "log.dropped": event<{ lines: number }>(
    "The output did not take the lines in time; the oldest below warn were dropped.",
  ),
  "clock.jumped": event<{ hours: number }>(
    "The clock is ahead of the time that has passed. What goes by age (mail that expires or was removed, history) stays for a day, in which a clock that is wrong can be put right.",
  ),
  "job.failed": event<{ job: string; reason: string }>(
    "A job ended with an error; it is tried again at its next turn.",
  ),
} as const satisfies Record<string, Kept<unknown>>;

export type EventName = keyof typeof events;
/** The fields an event must carry. */
export type EventFields<N extends EventName> = (typeof events)[N] extends Kept<infer Fields> ? Fields : never;
