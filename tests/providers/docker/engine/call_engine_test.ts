import assert from "node:assert/strict";
import { callEngine } from "../../../../src/providers/docker/engine/call_engine.ts";

const pending = () => new Promise<never>(() => {});

Deno.test("callEngine() returns the response and does not abort its signal", async () => {
  let used: AbortSignal | undefined;
  const response = await callEngine((signal) => {
    used = signal;
    return Promise.resolve("ok");
  });
  assert.equal(response, "ok");
  assert.ok(used && !used.aborted);
});

Deno.test("callEngine() rejects after its timeout, also if the request ignores its signal", async () => {
  await assert.rejects(
    callEngine(pending, { timeoutMs: 5 }),
    /^Error: Docker engine did not answer within 0.005 s$/,
  );
});

Deno.test("callEngine() rejects with the reason of the caller's signal", async () => {
  const stop = new AbortController();
  const calling = callEngine(pending, { signal: stop.signal });
  stop.abort(new Error("no longer wanted"));
  await assert.rejects(calling, /no longer wanted/);
  let isCalled = false;
  await assert.rejects(
    callEngine(() => {
      isCalled = true;
      return pending();
    }, { signal: stop.signal }),
    /no longer wanted/,
  );
  assert.ok(!isCalled);
});
