import assert from "node:assert/strict";
import { OutputBuffer } from "../../../src/providers/kit/output_buffer.ts";

Deno.test("a buffer yields output as it comes, until its end", async () => {
  const buffer = new OutputBuffer();
  const parts = buffer.read();
  buffer.add("a\n");
  buffer.add("b\n");
  assert.deepEqual((await parts.next()).value, { text: "a\nb\n", omitted: 0 });
  const next = parts.next();
  buffer.add("c\n");
  assert.deepEqual((await next).value, { text: "c\n", omitted: 0 });
  const last = parts.next();
  buffer.end();
  assert.ok((await last).done);
});

Deno.test("a full buffer leaves out the oldest lines and counts them", async () => {
  const buffer = new OutputBuffer(10);
  for (const line of ["first\n", "second\n", "third\n"]) buffer.add(line);
  buffer.end();
  assert.deepEqual(await Array.fromAsync(buffer.read()), [
    { text: "third\n", omitted: 13 },
  ]);
});

Deno.test("a line that is longer than a buffer is cut", async () => {
  const buffer = new OutputBuffer(10);
  buffer.add("x".repeat(25));
  buffer.end();
  assert.deepEqual(await Array.fromAsync(buffer.read()), [
    { text: "x".repeat(10), omitted: 15 },
  ]);
});
