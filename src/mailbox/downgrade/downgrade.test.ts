import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDowngrader } from "./downgrade.ts";

// Each text stands as it is stored and as it is sent (RFC 6856 §2, rule 6856-02); lines end with CRLF.
const fields: readonly (readonly [string, string, string])[] = [
  [
    "RFC 2047 §5 (1): text, no more of it than needed",
    "Subject: say grüß Gott, günstig öde to 中文 now",
    "Subject: say =?UTF-8?B?Z3LDvMOf?= Gott, =?UTF-8?B?Z8O8bnN0aWcgw7ZkZQ==?= to\r\n =?UTF-8?B?5Lit5paH?= now",
  ],
  [
    "RFC 2047 §6.2: white space between encoded words is kept where it was seen",
    "X-Y: =?utf-8?q?a?= é =?utf-8?q?b?= c",
    "X-Y: =?utf-8?q?a?= =?UTF-8?B?IMOpIA==?= =?utf-8?q?b?= c",
  ],
  ["a value without white space", "Subject:é", "Subject: =?UTF-8?B?w6k=?="],
  [
    "RFC 2047 §5 (3): names, with A-labels for domains",
    'From: 张三 <zhang@例子.test>, "Li, 四"<b@例子.test>,é@x.test <c@x.test>',
    "From: =?UTF-8?B?5byg5LiJ?= <zhang@xn--fsqu00a.test>,\r\n =?UTF-8?B?TGksIOWbmw==?= <b@xn--fsqu00a.test>, =?UTF-8?B?w6lAeC50ZXN0?=\r\n <c@x.test>",
  ],
  [
    "RFC 6857 §3.1: an address without a form in ASCII is an empty group",
    "To: 李四 <李四@例子.test>, 用户@x.test (é), root@x.test",
    "To: =?UTF-8?B?5p2O5ZubIOadjuWbm0DkvovlrZAudGVzdA==?= :;,\r\n =?UTF-8?B?55So5oi3QHgudGVzdA==?= :; (=?UTF-8?B?w6k=?=), root@x.test",
  ],
  [
    "inside a group it is a comment",
    "Cc: Grüße: a@b.test, 用户@x.test;, c@d.test",
    "Cc: =?UTF-8?B?R3LDvMOfZQ==?=: a@b.test, (=?UTF-8?B?55So5oi3QHgudGVzdA==?=);,\r\n c@d.test",
  ],
  [
    "RFC 2047 §5 (2): comments, which nest",
    "Sender: a@b.test (x ü (é \\) y)) (plain)",
    "Sender: a@b.test (x =?UTF-8?B?w7w=?= (=?UTF-8?B?w6k=?= \\) y)) (plain)",
  ],
  ["a list that does not end is text", 'To: "é <a@b>', "To: =?UTF-8?B?IsOp?= <a@b>"],
  ["a path becomes A-labels", "Return-Path: <a@例子.test>", "Return-Path: <a@xn--fsqu00a.test>"],
  [
    "RFC 6857 §3.1: a path or an identifier that cannot is put into another field",
    "Return-Path: <é@x>\r\nMessage-ID: <é@x>\r\nReferences: <a@b> <é@x>",
    "Downgraded-Return-Path: =?UTF-8?B?PMOpQHg+?=\r\nDowngraded-Message-ID: =?UTF-8?B?PMOpQHg+?=\r\nDowngraded-References: <a@b> =?UTF-8?B?PMOpQHg+?=",
  ],
  [
    "RFC 2047 §5: a trace has encoded words in comments only",
    "Received: from 例子.test (é)\r\n\tby b with UTF8SMTP id 0a\r\n\tfor <用户@例子.test>;\r\n\tThu, 01 Jan 1970 00:00:01 +0000",
    "Received: from xn--fsqu00a.test (=?UTF-8?B?w6k=?=)\r\n\tby b with UTF8SMTP id 0a\r\n\t(=?UTF-8?B?Zm9yIDznlKjmiLdA5L6L5a2QLnRlc3Q+?=);\r\n\tThu, 01 Jan 1970 00:00:01 +0000",
  ],
  [
    "a date with a name of the zone",
    "Date: Mon, 1 Jan 2024 00:00:00 +0800 (中国标准时间)",
    "Date: Mon, 1 Jan 2024 00:00:00 +0800 (=?UTF-8?B?5Lit5Zu95qCH5YeG5pe26Ze0?=)",
  ],
  [
    "RFC 2231 §4: parameters, quoted and not",
    'Content-Type: application/pdf; name="a é.pdf"\r\nContent-Disposition: attachment; filename=文件 (1).pdf; size=3',
    "Content-Type: application/pdf; name*=UTF-8''a%20%C3%A9.pdf\r\nContent-Disposition: attachment;\r\n filename*=UTF-8''%E6%96%87%E4%BB%B6%20%281%29.pdf; size=3",
  ],
  [
    "RFC 2231 §3: a long one in sections, cut between characters",
    `Content-Type: a/b; name="${"文件".repeat(8)}.pdf"`,
    [
      "Content-Type: a/b;",
      ` name*0*=UTF-8''${"%E6%96%87%E4%BB%B6".repeat(3)};`,
      ` name*1*=${"%E6%96%87%E4%BB%B6".repeat(3)}%E6%96%87;`,
      ` name*2*=%E4%BB%B6${"%E6%96%87%E4%BB%B6".repeat(1)}.pdf`,
    ].join("\r\n"),
  ],
  [
    "sections that were there are joined; a better form beside a plain one is kept",
    "Content-Type: a/b; name*1=\"é\"; charset=x; name*0*=UTF-8''%E9%95%BF\r\nContent-Disposition: inline; filename=\"a\u00e9\"; filename*=UTF-8''a%C3%A9",
    "Content-Type:           a/b; charset=x; name*=UTF-8''%E9%95%BF%C3%A9\r\nContent-Disposition:   inline; filename=\"a_\"; filename*=UTF-8''a%C3%A9",
  ],
  [
    "a type beyond ASCII is text",
    "Content-Type: text/é; charset=x",
    "Content-Type: =?UTF-8?B?dGV4dC/DqTs=?= charset=x",
  ],
  ["what is no field becomes one", "X: y\r\nSübject: z", "X: y\r\nDowngraded: =?UTF-8?B?U8O8YmplY3Q6?= z"],
];

describe("a field", () => {
  for (const [name, stored, sent] of fields) test(name, () => assert.equal(convert(`${stored}\r\n`), `${sent}\r\n`));

  test("in ASCII goes as it is, however odd", () => {
    const odd = `X:${"y".repeat(5000)}\r\nno field\r\nTo: "open <a\r\n \r\nX: =?UTF-8?B?w6k=?=\r\n\r\n`;
    assert.equal(convert(odd), odd);
  });

  test("in an old charset goes as it is, beside one in UTF-8", () => {
    const legacy = Buffer.from("Subject: \xc4\xe3\xba\xc3\r\n", "latin1");
    const sent = convert(Buffer.concat([legacy, Buffer.from("X: é\r\n")]));
    assert.equal(sent, `${legacy.toString("latin1")}X: =?UTF-8?B?w6k=?=\r\n`);
  });

  test("grows even where its domain shrinks: the length tells whether a message is as it is stored", () => {
    const stored = "From: a@ａｂｃｄｅｆｇｈ.test\r\n";
    const sent = convert(stored);
    assert.match(sent, /^From: +a@abcdefgh\.test\r\n$/);
    assert.ok(sent.length > Buffer.byteLength(stored));
  });

  test("of more than 64 KiB is converted in stretches", () => {
    const names = Array.from({ length: 6000 }, (_, i) => `é${i} <a${i}@b.test>`).join(",\r\n ");
    const sent = convert(`To: ${names}\r\nSubject: é\r\n\r\né`);
    assert.match(sent, /^[\0-\x7f]*\r\nSubject: =\?UTF-8\?B\?w6k=\?=\r\n\r\n\u00c3\u00a9$/);
    assert.equal(sent.match(/<a\d+@b\.test>/g)?.length, 6000);
    for (const line of sent.split("\r\n")) assert.ok(line.length < 100, line);
    const word = convert(`X: ${"中".repeat(100_000)}\r\n`);
    assert.equal(
      word
        .match(/=\?UTF-8\?B\?[^?]*\?=/g)
        ?.map(text)
        .join(""),
      "中".repeat(100_000),
    );
  });
});

describe("a message", () => {
  test("its parts' headers and those of messages within are converted, its bodies are not", () => {
    const message = (e: string): string =>
      [
        `Subject: ${e}`,
        "Content-Type: multipart/mixed; boundary=outer",
        "",
        "é: preamble",
        "--outer",
        `Content-Description: ${e}`,
        "",
        "é: body",
        "--outer ",
        "Content-Type: Message/RFC822",
        "",
        `Subject: ${e}`,
        'Content-Type: multipart/digest; boundary="in ner"',
        "",
        "--in ner",
        "",
        `Subject: ${e}`,
        "",
        "é: body",
        "--in ner--",
        "é: epilogue",
        "--outer",
        "Content-Type: message/global",
        "Content-Transfer-Encoding: 8bit",
        "",
        `Subject: ${e}`,
        "",
        "é: body",
        "--outer",
        "Content-Type: message/rfc822",
        "Content-Transfer-Encoding: base64",
        "",
        "Subject: é",
        "--outerx",
        "Subject: é",
        "--outer",
        `X-Cut: ${e}`,
        "--outer--",
        "Subject: é",
        "",
      ].join("\r\n");
    assert.equal(convert(message("é")), latin1(message("=?UTF-8?B?w6k=?=")));
  });

  test("a boundary beyond ASCII is found, and found again", () => {
    const stored = 'Content-Type: multipart/mixed; boundary="é"\r\n\r\n--é\r\nX: é\r\n\r\né\r\n--é--\r\n';
    const sent = convert(stored);
    assert.equal(
      sent,
      latin1(
        "Content-Type: multipart/mixed; boundary*=UTF-8''%C3%A9\r\n\r\n--é\r\nX: =?UTF-8?B?w6k=?=\r\n\r\né\r\n--é--\r\n",
      ),
    );
    assert.equal(convert(Buffer.from(sent, "latin1")), sent);
  });

  test("what is too deep goes as it is, and what is around it is still read", () => {
    const open = Array.from(
      { length: 70 },
      (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`,
    );
    const sent = convert(`${open.join("")}X: é\r\n\r\n--b0\r\nX: é\r\n`);
    assert.ok(sent.endsWith(latin1("X: é\r\n\r\n--b0\r\nX: =?UTF-8?B?w6k=?=\r\n")));
  });

  test("fields without end cost no more than half a MiB of them: then question marks stand for octets", () => {
    const sent = convert("X: é\r\n".repeat(20_000));
    assert.match(sent, /^(?:X: =\?UTF-8\?B\?w6k=\?=\r\n)+(?:X: \?\?\r\n)+$/);
    assert.equal(convert(sent), sent);
  });

  test("behind 10,000 headers all goes as it is", () => {
    const sent = convert(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--b\r\n".repeat(10_000)}X: é\r\n`);
    assert.ok(sent.endsWith(latin1("--b\r\nX: é\r\n")));
  });

  test("a large body passes without being copied", () => {
    const downgrader = createDowngrader();
    downgrader.push(Buffer.from("Subject: é\r\n\r\n"));
    const piece = new Uint8Array(65_536).fill(0xe9);
    assert.equal(downgrader.push(piece).buffer, piece.buffer);
    assert.equal(downgrader.end().length, 0);
  });
});

function convert(stored: string | Buffer): string {
  const downgrader = createDowngrader();
  return Buffer.concat([downgrader.push(Buffer.from(stored)), downgrader.end()]).toString("latin1");
}

function latin1(value: string): string {
  return Buffer.from(value).toString("latin1");
}

function text(word: string): string {
  return Buffer.from(word.slice("=?UTF-8?B?".length, -2), "base64").toString();
}
