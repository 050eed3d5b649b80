import assert from "node:assert/strict";
import type { Message } from "../harness/messages.ts";

/** Messages that every real client can keep: what the octet tests ask of a raw socket is not asked of these. */
export function clientMessages(): Message[] {
  const bodies: Readonly<Record<string, string>> = {
    plain: "one line\r\nand another\r\n",
    dots: ".\r\n..\r\n.x\r\n . \r\nend\r\n",
    "UTF-8": "Grüße aus Köln, 你好，世界。\r\n",
    "998 octets a line": `${"n".repeat(996)}\r\n${"m".repeat(996)}\r\n`,
    "blank lines": `first${"\r\n".repeat(40)}last\r\n`,
    "one dot at the end": "before\r\n.\r\n",
    "a header like a mailbox's": "text\r\n\r\nFrom here on it is text\r\nfrom there too\r\n",
    "300 kB": `${"0123456789abcdef".repeat(4)}\r\n`.repeat(4600),
  };
  return Object.entries(bodies).map(([name, body], index) => {
    const fields = [
      "From: Sender <sender@e2e.test>",
      "To: box@e2e.test",
      `Subject: ${name}`,
      `Message-ID: <client-${index}@e2e.test>`,
      "Date: Tue, 24 Nov 2026 10:00:00 +0000",
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: 8bit",
    ];
    return { name, octets: Buffer.from(`${fields.join("\r\n")}\r\n\r\n${body}`) };
  });
}

/** Fails unless these files hold exactly these messages, whatever fields the client put in front of them. */
export function sameMail(files: readonly Buffer[], sent: readonly Message[], client: string): void {
  const found = new Map(files.map((file) => [idOf(file), bodyOf(file)]));
  assert.equal(files.length, sent.length, `${client} kept ${files.length} of ${sent.length} messages`);
  for (const { name, octets } of sent) {
    const body = found.get(idOf(octets));
    assert.ok(body !== undefined, `${client} kept "${name}"`);
    assert.equal(body, bodyOf(octets), `${client}: the body of "${name}"`);
  }
}

/** The messages of a mailbox file; lines that begin with "From " in a body were quoted by who wrote it. */
export function splitMbox(mbox: Buffer): Buffer[] {
  const texts = mbox.toString("latin1").split(/^From (?:- |\S+ ).*\r?\n/m);
  return texts.slice(1).map((text) => Buffer.from(text.replaceAll(/^>(>*From )/gm, "$1"), "latin1"));
}

function idOf(message: Buffer): string {
  const id = /^Message-ID:\s*(<[^>]*>)/im.exec(message.toString("latin1"))?.[1];
  assert.ok(id !== undefined, `a Message-ID in ${JSON.stringify(message.toString("latin1", 0, 300))}`);
  return id;
}

// Line ends are the client's, and so are blank lines at the very end.
function bodyOf(message: Buffer): string {
  const text = message.toString("latin1").replaceAll("\r\n", "\n");
  return text.slice(text.indexOf("\n\n") + 2).replace(/\n+$/, "");
}
