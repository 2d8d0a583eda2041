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

Deno.test("Bus.next() resolves with undefined when it is aborted", async () => {
  const abort = new AbortController();
  const next = new Bus().next(() => true, abort.signal);
  abort.abort();
  assert.equal(await next, undefined);
});
