import assert from "node:assert/strict";
import { escapeJson, escapeText } from "../../src/core/text.ts";

/** Text that a terminal obeys, and its escaped form. */
const ESCAPES: readonly (readonly [string, string])[] = [
  ["\x1b[2J\x1b[1;1H", "\\x1b[2J\\x1b[1;1H"],
  ["\x1b]0;title\x07", "\\x1b]0;title\\x07"],
  ["\x1b]8;;http://a.example\x1b\\", "\\x1b]8;;http://a.example\\x1b\\"],
  ["\x9b31m\x9d0;title\x9c", "\\x9b31m\\x9d0;title\\x9c"],
  ["fine\rforged", "fine\\x0dforged"],
  ["a\x08\x7f\x00", "a\\x08\\x7f\\x00"],
  ["user\u202etxt.exe\u2066\u2069", "user\\u202etxt.exe\\u2066\\u2069"],
  ["\u200e\u200f\u061c\u2028\u2029", "\\u200e\\u200f\\u061c\\u2028\\u2029"],
];

Deno.test("escapeText() escapes characters that a terminal would obey, and keeps other text", () => {
  for (const [text, shown] of ESCAPES) assert.equal(escapeText(text), shown);
  const plain = "Zeile 1\n\tשלום – 日本語 – 👩‍👧 \\x1b";
  assert.equal(escapeText(plain), plain);
  assert.equal(escapeText("a\r\nb"), "a\nb");
});

Deno.test("escapeJson() returns equal JSON without characters that a terminal obeys", () => {
  const value = { text: ESCAPES.map(([text]) => text).join(""), list: ["\n"] };
  const json = escapeJson(JSON.stringify(value, null, 2));
  assert.deepEqual(JSON.parse(json), value);
  assert.equal(escapeText(json), json);
});
