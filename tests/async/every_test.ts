import assert from "node:assert/strict";
import { systemClock } from "../../src/async/clock.ts";
import { every } from "../../src/async/every.ts";
import { createFakeClock } from "../support/clock.ts";

Deno.test("every() continues after failures and reports only the first of consecutive ones", async () => {
  const failures: unknown[] = [];
  const third = Promise.withResolvers<void>();
  let runs = 0;
  {
    await using _loop = every(() => {
      if (++runs === 3) third.resolve();
      return Promise.reject(new Error(`run ${runs}`));
    }, {
      clock: systemClock,
      periodMs: 1,
      onFailure: (error) => failures.push(error),
    });
    await third.promise;
  }
  assert.equal(failures.length, 1);
});

Deno.test("every() ends the running step on disposal and starts no other", async () => {
  let runs = 0;
  {
    await using _loop = every((signal) => {
      runs++;
      return new Promise<void>((resolve) =>
        signal.addEventListener("abort", () => resolve(), { once: true })
      );
    }, { clock: systemClock, periodMs: 1 });
  }
  assert.equal(runs, 1);
});

Deno.test("every() pauses for retryMs after a failure, whatever the period", async () => {
  const clock = createFakeClock();
  let runs = 0;
  await using _loop = every(() => {
    runs++;
    return Promise.reject(new Error("no luck"));
  }, { clock, periodMs: 60_000, retryMs: 1_000 });
  for (let second = 1; second <= 5; second++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.equal(runs, second);
    clock.advance(1_000);
  }
});
