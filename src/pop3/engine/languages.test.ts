import assert from "node:assert/strict";
import { test } from "node:test";
import { LANGUAGES } from "../../model/language.ts";
import { languageOf, languages, matchLanguage } from "./languages.ts";

test("2449-02 2449-06 no text of any catalogue is long, odd or looks like a response code", () => {
  for (const { tag, texts } of languages)
    for (const [key, text] of Object.entries(texts)) {
      // As octets on the wire: no control character, room for status and code, and, as the grammar of RFC 2449 §3 has it,
      // no `[` anywhere.
      assert.match(text, /^(?! )[\x20-\x5a\x5c-\x7e\x80-\xff]{1,400}$/, `${tag} ${key}`);
      const utf8 = Buffer.from(text, "latin1");
      assert.equal(Buffer.from(utf8.toString("utf8")).compare(utf8), 0, `${tag} ${key} is UTF-8`);
    }
});

test("without LANG nothing but ASCII is said", () => {
  for (const text of Object.values(languageOf(undefined).texts)) assert.match(text, /^[\x20-\x7e]+$/);
});

test("a status line with two numbers has room for its units in front of a message", () => {
  // 64 octets are free there (pop3/sending.ts).
  for (const { texts } of languages) assert.ok(`+OK 4294967295 ${texts.octets}\r\n`.length <= 64);
});

test("6856-03 every language of the model has a catalogue of its own, and a name in itself", () => {
  assert.deepEqual(
    languages.map(({ tag }) => tag),
    [...LANGUAGES],
  );
  assert.deepEqual(
    languages.map(({ name }) => Buffer.from(name, "latin1").toString("utf8")),
    ["English", "简体中文"],
  );
  const [english, chinese] = languages;
  for (const [key, text] of Object.entries(english?.texts ?? {}))
    assert.notEqual(Object(chinese?.texts)[key], text, `${key} was translated`);
});

test("6856-03 a basic language range finds the language that it names, and none that it does not", () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["en", "en"],
    ["EN", "en"],
    ["en-GB", "en"],
    ["en-x-private", "en"],
    ["en-Latn-US", "en"],
    ["zh", "zh-CN"],
    ["zh-cn", "zh-CN"],
    ["ZH-CN", "zh-CN"],
    ["zh-Hans", "zh-CN"],
    ["zh-Hans-SG", "zh-CN"],
    ["zh-CN-x-a", "zh-CN"],
    // Who reads traditional characters is not well served by simplified ones.
    ["zh-TW", undefined],
    ["zh-Hant", undefined],
    ["zh-C", undefined],
    ["e", undefined],
    ["MUL", undefined],
    ["de", undefined],
    ["english-speaking", undefined],
    ["", undefined],
    ["-", undefined],
    ["en-", undefined],
    ["en--GB", undefined],
    ["*", undefined],
    ["zh-*", undefined],
    ["en\0", undefined],
    ["中文", undefined],
    ["en_US", undefined],
    [`en${"-aaaaaaaa".repeat(24)}`, "en"],
  ];
  for (const [range, tag] of cases) assert.equal(matchLanguage(range)?.tag, tag, range);
});
