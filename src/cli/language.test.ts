import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commands, groups } from "./commands.ts";
import { languageOf } from "../config/language.ts";
import { speak } from "./language.ts";
import { en } from "./messages/en.ts";
import { zhCn } from "./messages/zh-cn.ts";

const placeholders = (text: string): readonly string[] => [...new Set(text.match(/\{\w+\}/g))].toSorted();

describe("the catalogues", () => {
  it("have the same keys", () => {
    assert.deepEqual(Object.keys(zhCn).toSorted(), Object.keys(en).toSorted());
  });

  it("have a text for every key, and Chinese in the Chinese one", () => {
    for (const [key, text] of Object.entries(en)) assert.notEqual(text, "", key);
    for (const [key, text] of Object.entries(zhCn)) assert.match(text, /\p{Script=Han}|^[\W\dA-Z{}a-z-]{1,8}$/u, key);
  });

  it("fill in the same values", () => {
    for (const [key, text] of Object.entries(zhCn)) {
      // The reason comes in English: it stands alone there, and is said anew or added in Chinese.
      if (key.startsWith("offline.") || key.startsWith("import.secret-")) continue;
      assert.deepEqual(placeholders(text), placeholders(en[key as keyof typeof en]), key);
    }
  });

  it("have a line for every command", () => {
    for (const { path, summary } of commands) assert.equal(summary, `command.${path.join(".")}`);
    for (const [name, summary] of Object.entries(groups)) assert.equal(summary, `command.${name.replaceAll(" ", ".")}`);
  });
});

describe("the language", () => {
  it("is Chinese where the environment says so, by the first variable that is set", () => {
    const cases = [
      [{}, "en"],
      [{ LANG: "C.UTF-8" }, "en"],
      [{ LANG: "zh_CN.UTF-8" }, "zh"],
      [{ LANG: "zh" }, "zh"],
      [{ LANG: "zh_CN", LC_MESSAGES: "de_DE" }, "en"],
      [{ LANG: "en_US", LC_ALL: "zh_CN.GB18030", LC_MESSAGES: "de_DE" }, "zh"],
      [{ LANG: "zh_CN", LC_ALL: "" }, "zh"],
      [{ LANG: "zhuang" }, "en"],
    ] as const;
    for (const [environment, language] of cases) assert.equal(languageOf(environment), language);
  });

  it("leaves a value that was not given as it stands", () => {
    assert.equal(speak("en")("user.removed", { address: "a@b" }), "Removed a@b and {messages} message(s).");
  });
});
