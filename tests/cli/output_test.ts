import assert from "node:assert/strict";
import { wrapText } from "../../src/cli/wrap_text.ts";
import { renderTable } from "../../src/cli/table.ts";

const ID = "019ad0c2-6d1e-7000-8000-0123456789ab";

Deno.test("wrapText() wraps text between words and indents it, but not without a terminal", () => {
  const text = "The browser is at /usr/bin/chromium and has no window";
  assert.equal(
    wrapText("ok  ", text, 30),
    `ok  The browser is at
    /usr/bin/chromium and has
    no window`,
  );
  assert.equal(wrapText("ok  ", text, Infinity), `ok  ${text}`);
  assert.equal(wrapText("ok  ", text, 10), `ok  ${text}`);
});

Deno.test("renderTable() wraps only the last column, between words", () => {
  const row = ["first-cell-is-whole", "one two three four five six seven"];
  const lines = renderTable(["A", "B"], [row], { width: 45 }).split("\n");
  assert.deepEqual(lines, [
    "A                    B",
    "first-cell-is-whole  one two three four five",
    "                     six seven",
  ]);
  const [, whole] = renderTable(["A", "B"], [row]).split("\n");
  assert.equal(whole, row.join("  "));
});

Deno.test("renderTable() omits optional columns, then cuts values, but never an id", () => {
  const head = ["NAME", "STATUS", "REACH", "SEEN", "ID"];
  const row = [
    "a-worker-with-a-very-long-name-of-its-host",
    "online",
    "auto, tunnel up",
    "2026-11-29T18:00:00Z, a while ago",
    ID,
  ];
  const options = { width: 80, optional: ["reach", "seen", "status"] };
  const lines = renderTable(head, [row], options).split("\n");
  assert.deepEqual(lines[0]?.split(/ {2,}/), ["NAME", "STATUS", "SEEN", "ID"]);
  assert.ok(lines.every(({ length }) => length <= 80), lines.join("\n"));
  assert.match(lines[1] ?? "", /^a-\S+… {2}online {2}2026\S+… {2}019ad0c2/);
  assert.ok(lines[1]?.endsWith(ID));
  const narrow = renderTable(head, [row], { ...options, width: 20 }).split(
    "\n",
  );
  assert.deepEqual(narrow[1]?.split("  "), ["a-worke…", ID]);
});

Deno.test("renderTable() cuts no word of the last column, and omits a time instead of cutting it", () => {
  const time = "2026-11-29T18:00:00.000Z";
  const lines = renderTable(["NAME", "SEEN", "DATA"], [
    ["x".repeat(30), time, `a few words, then work_pool_id: ${ID}`],
  ], { width: 60, optional: ["seen"] }).split("\n");
  assert.ok(lines.some((line) => line.endsWith(`  ${ID}`)));
  assert.ok(lines.every(({ length }) => length <= 60), lines.join("\n"));
  assert.ok(!lines.join().includes(time.slice(0, 8)));
});

Deno.test("renderTable() keeps every column and value in a wide terminal and for a program", () => {
  const row = ["x".repeat(100), "y".repeat(100), ID];
  for (const width of [300, Infinity]) {
    const [, line] = renderTable(["A", "B", "ID"], [row], {
      width,
      optional: ["a"],
    }).split("\n");
    assert.equal(line, row.join("  "));
  }
});
