import assert from "node:assert/strict";
import { once } from "node:events";
import { type Duplex, duplexPair } from "node:stream";
import { joinStreams } from "../../src/async/join_streams.ts";

/** The two outer ends of joined streams. */
function joinedEnds(): [Duplex, Duplex] {
  const [outerFirst, first] = duplexPair();
  const [outerSecond, second] = duplexPair();
  joinStreams(first, second);
  return [outerFirst, outerSecond];
}

Deno.test("joinStreams() copies bytes in both directions", async () => {
  const [first, second] = joinedEnds();
  first.write("to second");
  second.write("to first");
  const [[atSecond], [atFirst]] = await Promise.all([
    once(second, "data"),
    once(first, "data"),
  ]);
  assert.equal(String(atSecond), "to second");
  assert.equal(String(atFirst), "to first");
  first.destroy();
  second.destroy();
});

Deno.test("joinStreams() delivers the bytes before an end, then ends the other stream", async () => {
  const [first, second] = joinedEnds();
  first.end("last words");
  const chunks: unknown[] = [];
  for await (const chunk of second) chunks.push(chunk);
  assert.equal(chunks.join(""), "last words");
});
