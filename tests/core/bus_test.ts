import assert from "node:assert/strict";
import { Bus } from "../../src/core/bus.ts";

Deno.test("Bus.next() resolves with the first event that matches", async () => {
  const bus = new Bus();
  const next = bus.next(
    ({ subject }) => subject === "b",
    new AbortController().signal,
  );
  bus.publish({ type: "x", subject: "a" });
  bus.publish({ type: "y", subject: "b" });
  bus.publish({ type: "z", subject: "b" });
  assert.equal((await next)?.type, "y");
});

Deno.test("Bus.next() resolves with undefined if it is aborted", async () => {
  const abort = new AbortController();
  const next = new Bus().next(() => true, abort.signal);
  abort.abort();
  assert.equal(await next, undefined);
});

Deno.test("a latch returns events from before the call, each once", async () => {
  const bus = new Bus();
  const stop = new AbortController();
  using latch = bus.latch(({ subject }) => subject === "mine");
  bus.publish({ type: "a", subject: "mine" });
  bus.publish({ type: "b", subject: "mine" });
  bus.publish({ type: "c", subject: "other" });
  assert.deepEqual([...await latch.next(stop.signal)], ["a", "b"]);
  const next = latch.next(stop.signal);
  bus.publish({ type: "d", subject: "mine" });
  assert.deepEqual([...await next], ["d"]);
  const none = latch.next(stop.signal);
  stop.abort();
  assert.deepEqual([...await none], []);
});
