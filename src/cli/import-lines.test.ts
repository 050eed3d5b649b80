import assert from "node:assert/strict";
import { it } from "node:test";
import { parseImport } from "./import-lines.ts";

it("takes lines apart at the first comma and keeps their numbers", () => {
  const text = "# users\r\n\na@example.com,{PLAIN}with, comma \r\n b@example.com ,$6$x\nhunter2\nc@example.com,";
  assert.deepEqual(parseImport(text), [
    { line: 3, address: "a@example.com", secret: "{PLAIN}with, comma " },
    { line: 4, address: "b@example.com", secret: "$6$x" },
    { line: 5, address: "", secret: null },
    { line: 6, address: "c@example.com", secret: "" },
  ]);
  assert.deepEqual(parseImport(""), []);
});
