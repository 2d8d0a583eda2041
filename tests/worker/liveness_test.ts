import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { waitForHang } from "../../src/worker/liveness.ts";
import { createFakeClock } from "../support/clock.ts";

const SECOND = 1_000;

/** Runs all pending asynchronous work. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await nextTurn();
}

type Probe = (signal: AbortSignal) => Promise<void>;

/** Starts a watch of a browser that `probe` probes, with a fake clock. */
function watched(probe: Probe, isHostUp = async () => await true) {
  const clock = createFakeClock();
  const over = new AbortController();
  let result: string | undefined;
  const watch = waitForHang({ probe: (signal) => probe(signal) }, {
    clock,
    isHostUp,
    signal: over.signal,
  });
  void watch.then((exit) => result = exit?.detail);
  return {
    clock,
    over,
    watch,
    hung: () => result,
    async pass(seconds: number) {
      for (let second = 0; second < seconds; second++) {
        clock.advance(SECOND);
        await settle();
      }
    },
  };
}

/** Never responds, and obeys its signal. */
const silent: Probe = (signal) =>
  new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason))
  );

for (
  const [what, probe, words] of [
    ["is silent", silent, /hangs: it does not respond/],
    [
      "has lost its zygote",
      () => Promise.reject(new Error("a zygote process has ended")),
      /hangs: a zygote process has ended/,
    ],
    [
      "has a probe that ignores its signal",
      () => new Promise<void>(() => {}),
      /hangs: it does not respond/,
    ],
  ] as const
) {
  Deno.test(`a browser that ${what} is hung within a minute, and not before 45 s`, async () => {
    const { pass, hung, watch } = watched(probe);
    await pass(45);
    assert.equal(hung(), undefined);
    await pass(15);
    assert.match(hung() ?? "", words);
    await watch;
  });
}

Deno.test("a browser that takes 29 s for each response, or fails occasionally, is not hung", async () => {
  let count = 0;
  const { pass, hung, over, watch, clock } = watched(async (signal) => {
    if (++count % 2 === 0) throw new Error("busy");
    await clock.sleep(29 * SECOND, signal);
  });
  await pass(600);
  assert.ok(count > 10);
  assert.equal(hung(), undefined);
  over.abort();
  assert.equal(await watch, undefined);
});

Deno.test("a pause of the worker does not count as silence of its browsers", async () => {
  let responds: (() => void) | undefined;
  const { pass, hung, clock, over, watch } = watched(() =>
    new Promise((resolve) => responds = resolve)
  );
  await pass(11);
  // The machine sleeps: the response arrives after all timers.
  clock.advance(3_600 * SECOND);
  await settle();
  await pass(1);
  responds?.();
  await pass(5);
  responds?.();
  await pass(1);
  assert.equal(hung(), undefined);
  over.abort();
  await watch;
});

Deno.test("no browser is reported while its host does not respond", async () => {
  let isUp = false;
  const { pass, hung, watch } = watched(silent, async () => await isUp);
  await pass(300);
  assert.equal(hung(), undefined);
  isUp = true;
  await pass(60);
  assert.match(hung() ?? "", /hangs/);
  await watch;
});
