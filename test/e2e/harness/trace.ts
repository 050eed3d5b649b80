import assert from "node:assert/strict";

const fieldName = /^[\x21-\x39\x3b-\x7e]+[ \t]*:/;

/**
 * What a client must get back for this content, trace headers aside: a missing last CRLF is there, and a blank line
 * stands before a first line that is no header field.
 */
export function expectedContent(sent: Buffer): Buffer {
  const ended = sent.length === 0 || sent.subarray(-2).toString("latin1") === "\r\n";
  const whole = ended ? sent : Buffer.concat([sent, Buffer.from("\r\n")]);
  const first = whole.toString("latin1", 0, 1000).split("\r\n", 1)[0] ?? "";
  return first === "" || fieldName.test(first) ? whole : Buffer.concat([Buffer.from("\r\n"), whole]);
}

/** Takes away the one Return-Path and the one Received that the server put in front; both must be there. */
export function withoutTrace(received: Buffer): Buffer {
  const afterPath = skipField(received, "Return-Path:");
  return skipField(afterPath, "Received:");
}

function skipField(message: Buffer, name: string): Buffer {
  const start = message.toString("latin1", 0, 200);
  assert.ok(start.startsWith(name), `${name} in front, not ${JSON.stringify(start)}`);
  for (let at = message.indexOf("\r\n"); ; at = message.indexOf("\r\n", at + 2)) {
    assert.ok(at >= 0, `${name} has an end`);
    const next = message[at + 2];
    if (next !== 0x20 && next !== 0x09) return message.subarray(at + 2);
  }
}

/** Fails with the place of the first difference rather than with two long texts. */
export function sameOctets(found: Buffer, wanted: Buffer, what: string): void {
  if (found.equals(wanted)) return;
  let at = 0;
  while (at < found.length && at < wanted.length && found[at] === wanted[at]) at += 1;
  const show = (octets: Buffer) => JSON.stringify(octets.toString("latin1", Math.max(0, at - 30), at + 30));
  assert.fail(
    `${what}: ${found.length} octets, wanted ${wanted.length}; first difference at ${at}: ${show(found)}, wanted ${show(wanted)}`,
  );
}
