import { isAscii, isUtf8 } from "node:buffer";
import { downgradedOctets } from "../../../src/intake/downgraded-octets.ts";
import { Conversion } from "../../../src/mailbox/conversion.ts";
import { createDowngrader } from "../../../src/mailbox/downgrade/downgrade.ts";
import { Random } from "../../e2e/harness/random.ts";
import { cutOctets, mutateOctets, smallerOctets } from "../mutate-octets.ts";
import { readLines, writeLines } from "../octet-text.ts";
import { headerFields } from "../rules/header-regions.ts";
import { hold, show, type Target } from "../target.ts";

// A field of the longest kind, and a line that may be a delimiter.
const MOST_HELD = 64 * 1024 + 1024;

/** The converter for clients without UTF8, and what counts its octets. */
export const downgrade: Target<string> = {
  name: "downgrade",
  read: readLines,
  write: writeLines,
  seeds,
  mutate: (octets, other, random) => mutateOctets(octets, other, WORDS, random),
  smaller: smallerOctets,
  attempt,
  story: writeLines,
};

function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

const WORDS: readonly string[] = [
  ..."é 中文 😀 ａｂｃ 例子.test \u00ad \u0301 = ? : ; , < > ( ) \" ' @ % * \\ \t".split(" ").map(latin1),
  ..."Subject: From: To: Received: References: Message-ID: Return-Path: X-Unknown: Date: Bcc:".split(" "),
  "\r\n",
  "\r\n ",
  "\r\n\r\n",
  "\n",
  "\n\n",
  "\r",
  "\xc4\xe3\xba\xc3",
  "\xff",
  "Content-Type: multipart/mixed; boundary=b\r\n",
  'Content-Type: multipart/mixed; boundary="b"\r\n',
  "Content-Type: multipart/digest; boundary=b\r\n",
  "Content-Type: message/rfc822\r\n",
  "Content-Type: text/plain; name=\xc3\xa9.txt\r\n",
  'Content-Disposition: attachment; filename="\xc3\xa9.txt"\r\n',
  "Content-Transfer-Encoding: base64\r\n",
  "Subject: \xc3\xa9\r\n",
  "Subject: \xc4\xe3\r\n",
  "--b\r\n",
  "--b--\r\n",
  "\r\n--b\r\n",
  "\n--b\nSubject: \xc3\xa9\n\n",
  "=?UTF-8?B?w6k=?=",
  ";name*0=",
  ";name*1*=",
  ";name*=UTF-8''%C3%A9",
  " ".repeat(990),
  "x".repeat(990),
  "\xc3\xa9".repeat(500),
];

function attempt(message: string): readonly string[] {
  const random = new Random(message.length);
  const octets = Buffer.from(message, "latin1");
  const whole = convert([message]);
  for (const pieces of [cutOctets(message, random), message.length < 1500 ? message.split("") : [message]]) {
    const found = convert(pieces);
    hold(found === whole, "6856-02", () => `cut otherwise it becomes ${show(found)} and not ${show(whole)}`);
  }
  hold(whole === message || whole.length > message.length, "6856-02", () => "what was changed has not grown");
  hold(convert([whole]) === whole, "6856-02", () => `what was converted is converted again: ${show(whole)}`);
  const counted = downgradedOctets(octets);
  hold(counted === whole.length, "6856-02", () => `${counted} octets are counted, ${whole.length} leave`);
  const given = conversion(octets, whole.length, random);
  hold(given === whole, "6856-02", () => `a session is given ${show(given)} and not ${show(whole)}`);
  const fields = headerFields(whole);
  for (const field of fields) {
    const each = Buffer.from(field, "latin1");
    hold(isAscii(each) || !isUtf8(each), "6856-02", () => `UTF-8 is left in ${show(field)}`);
  }
  const [before, after] = [longestLine(message), longestLine(whole)];
  // A bare CR is refused at the door; lines that hold one are nobody's to fold.
  hold(after <= 998 || before > 998 || /\r(?!\n)/.test(message), "5322 §2.1.1", () => `a line of ${after} octets`);
  return shapes(message, whole, fields);
}

function convert(pieces: readonly string[]): string {
  const codec = createDowngrader();
  let [fed, out] = [0, ""];
  for (const piece of pieces) {
    const copy = Buffer.from(piece, "latin1");
    out += Buffer.from(codec.push(copy)).toString("latin1");
    fed += piece.length;
    // It gets the buffer for this call only.
    copy.fill(0x21);
    hold(fed - out.length <= MOST_HELD, "memory", () => `${fed - out.length} octets are held`);
  }
  return out + Buffer.from(codec.end()).toString("latin1");
}

/** As a session reads: stored octets in pieces, given away in buffers of any size. */
function conversion(octets: Buffer, reckoned: number, random: Random): string {
  const each = new Conversion(reckoned);
  const size = random.pick([1, 7, 100, 4096]);
  const target = Buffer.alloc(octets.length > 5000 ? 4096 : size);
  let out = "";
  for (let at = 0; at <= octets.length;) {
    const end = Math.min(octets.length, at + random.between(1, random.pick([3, 500, 5000])));
    const last = end === octets.length;
    hold(
      each.take(Buffer.from(octets.subarray(at, end)), last),
      "6856-02",
      () => `it is not what was reckoned (${reckoned})`,
    );
    for (let length = each.give(target); length > 0; length = each.give(target))
      out += target.toString("latin1", 0, length);
    if (last) break;
    at = end;
  }
  return out;
}

function longestLine(octets: string): number {
  return Math.max(...octets.split(/\r?\n/).map((line) => line.length));
}

function shapes(message: string, whole: string, fields: readonly string[]): string[] {
  const names = fields.map((field) => /^[!-9;-~]{1,40}(?=:)/.exec(field)?.[0].toLowerCase() ?? "none");
  const changed = whole === message ? "as it is" : whole.includes("Downgraded") ? "encapsulated" : "words";
  const many = Math.min(6, fields.length);
  return [
    ...names.map((name) => `${name.slice(0, 24)} ${changed}`),
    `${many} ${changed} ${whole.includes("*0")} ${whole.includes("*=")}`,
  ];
}

function seeds(): string[] {
  const part =
    '--b\r\nContent-Type: text/plain; name="é 中.txt"\r\nContent-Disposition: attachment; filename=é.txt\r\n\r\nbödy\r\n';
  const multipart = `Subject: 中文\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreämble\r\n${part}${part}--b--\r\nepilögue\r\n`;
  return [
    "Subject: x\r\n\r\nbody\r\n",
    'Subject: é\r\nFrom: é <é@例子.test>\r\nTo: "é, x" <a@b>, c@d (é)\r\n\r\nbödy\r\n',
    "Received: from é by x (é) for <é@x>; Tue, 24 Nov 2026 03:00:00 +0000\r\nReferences: <é@x>\r\n <y@z>\r\n\r\n",
    "Return-Path: <é@x>\r\nMessage-ID: <é@x>\r\nX: \r\n é\r\n \r\n\r\n",
    multipart,
    `Content-Type: message/rfc822\r\n\r\n${multipart}`,
    `Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\n${multipart}--d--\r\n`,
    "no header at all, é",
    "Subject: é",
    "é\r\n\r\n",
    `Subject: ${"é".repeat(600)}\r\n\r\n`,
    `Subject: ${"x ".repeat(400)}é\r\n\r\n`,
    `To: ${"é <a@b>, ".repeat(60)}x@y\r\n\r\n`,
  ].map(latin1);
}
