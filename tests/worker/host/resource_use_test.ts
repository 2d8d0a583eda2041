import assert from "node:assert/strict";
import { systemClock } from "../../../src/async/clock.ts";
import {
  calculateCpuPercent,
  HostCpuMeter,
} from "../../../src/worker/host/resource_use.ts";

Deno.test("usedPercent() returns the use between two readings, not since the start", () => {
  const before = { idle: 1_000, all: 9_000 };
  assert.equal(calculateCpuPercent(before, { idle: 1_150, all: 9_200 }), 25);
  assert.equal(calculateCpuPercent(before, { idle: 1_200, all: 9_200 }), 0);
  assert.equal(calculateCpuPercent(before, { idle: 1_000, all: 9_200 }), 100);
  assert.equal(calculateCpuPercent(before, before), null);
  // Counters of idle time may decrease slightly.
  assert.equal(calculateCpuPercent(before, { idle: 990, all: 9_200 }), 100);
});

Deno.test("a CpuMeter reports the use of this process at once, unlike the load average", () => {
  const meter = new HostCpuMeter();
  const until = systemClock.monotonic() + 400;
  while (systemClock.monotonic() < until);
  const percent = meter.percent() ?? 0;
  const oneCore = 100 / navigator.hardwareConcurrency;
  assert.ok(percent >= oneCore / 2 && percent <= 100, `${percent} %`);
});
