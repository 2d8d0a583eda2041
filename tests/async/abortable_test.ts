import assert from "node:assert/strict";
import { abortable, aborted } from "../../src/async/abortable.ts";

const REASON = new Error("no longer needed");

Deno.test("abortable() returns the result of the work, and its error", async () => {
  const { signal } = new AbortController();
  assert.equal(await abortable(Promise.resolve(1), signal), 1);
  await assert.rejects(
    abortable(Promise.reject(new Error("failed")), signal),
    /failed/,
  );
});

Deno.test("abortable() rejects with the signal's reason while the work continues", async () => {
  const stop = new AbortController();
  const work = Promise.withResolvers<number>();
  const waiting = abortable(work.promise, stop.signal);
  stop.abort(REASON);
  await assert.rejects(waiting, REASON);
  work.resolve(1);
  assert.equal(await work.promise, 1);
});

Deno.test("abortable() leaves no unhandled rejection if the work fails after the abort", async () => {
  const work = Promise.withResolvers<number>();
  await assert.rejects(
    abortable(work.promise, AbortSignal.abort(REASON)),
    REASON,
  );
  work.reject(new Error("failed later"));
  await new Promise((resolve) => setTimeout(resolve, 0));
});

Deno.test("aborted() resolves on abort, and immediately if the signal is aborted already", async () => {
  const stop = new AbortController();
  const waiting = aborted(stop.signal);
  stop.abort();
  assert.equal(await waiting, undefined);
  assert.equal(await aborted(stop.signal), undefined);
});
