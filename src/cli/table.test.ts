import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { renderFacts, renderTable } from "./table.ts";
import { displayWidth } from "./width.ts";

describe("the width of a text on a terminal", () => {
  for (const [text, width] of [
    ["", 0],
    ["abc", 3],
    ["地址", 4],
    ["ｆｕｌｌ", 8],
    ["한글", 4],
    ["é", 1],
    ["e\u0301", 1],
    ["a\u200bb", 2],
    ["👩‍👩‍👧", 2],
    ["☎️", 2],
    ["𠮷", 2],
    ["“中”", 4],
    ["1,5 €", 5],
  ] as const) {
    it(`${JSON.stringify(text)} takes ${width}`, () => assert.equal(displayWidth(text), width));
  }
});

describe("a table", () => {
  it("lines up with Chinese in it", () => {
    const columns = [{ title: "地址" }, { title: "容量", right: true }, { title: "状态" }];
    const rows = [
      ["alice@example.com", "5.0 GiB", "启用"],
      ["李雷@例子.测试", "默认", "停用"],
    ];
    assert.equal(
      renderTable(columns, rows),
      [
        "地址                  容量  状态", //
        "alice@example.com  5.0 GiB  启用",
        "李雷@例子.测试        默认  停用",
      ].join("\n"),
    );
  });

  it("has no blanks at the end of a line, and lets nothing move the cursor", () => {
    assert.equal(renderTable([{ title: "a" }, { title: "b" }], [["x\u001B[2J", ""]]), "a      b\nx\uFFFD[2J");
  });
});

it("facts line up with Chinese in their names", () => {
  assert.equal(
    renderFacts([
      ["SHA-256", "AB"],
      ["有效期至", "2027"],
    ]),
    "SHA-256   AB\n有效期至  2027",
  );
});
