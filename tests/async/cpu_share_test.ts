import assert from "node:assert/strict";
import { CpuShare } from "../../src/async/cpu_share.ts";

Deno.test("the share of a core is measured from call to call, over 100 ms at least", () => {
  let now = 0;
  let cpuMs = 1_000;
  const share = new CpuShare({
    clock: { monotonic: () => now },
    readCpuMs: () => cpuMs,
  });
  const measureAfter = (ms: number, usedMs: number) => {
    now += ms;
    cpuMs += usedMs;
    return share.measure();
  };
  assert.equal(measureAfter(50, 50), 0);
  assert.equal(measureAfter(50, 40), 0.9);
  assert.equal(measureAfter(99, 0), 0.9);
  assert.equal(measureAfter(101, 50), 0.25);
  assert.equal(measureAfter(1_000, 1_500), 1.5);
});

Deno.test("the share of a process that computes is measured", () => {
  const share = new CpuShare();
  const startedAt = performance.now();
  while (performance.now() - startedAt < 300);
  assert.ok(share.measure() > 0.1);
});
