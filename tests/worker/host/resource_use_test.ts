import assert from "node:assert/strict";
import { systemClock } from "../../../src/async/clock.ts";
import {
  calculateCpuPercent,
  HostMeter,
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

Deno.test("a HostMeter reports the use of this process at once, unlike the load average", () => {
  let skippedMs = 0;
  const clock = { monotonic: () => systemClock.monotonic() + skippedMs };
  const meter = new HostMeter({ clock, dataDir: "/" });
  const until = systemClock.monotonic() + 400;
  while (systemClock.monotonic() < until);
  skippedMs = 1_000;
  const percent = meter.read().cpu_percent ?? 0;
  const oneCore = 100 / navigator.hardwareConcurrency;
  assert.ok(percent >= oneCore / 2 && percent <= 100, `${percent} %`);
});

Deno.test("a HostMeter measures at most once a second", () => {
  let now = 0;
  const meter = new HostMeter({
    clock: { monotonic: () => now },
    dataDir: "/",
  });
  const first = meter.read();
  assert.equal(first.cpu_percent, null);
  assert.ok(first.memory_usage_mb > 0);
  assert.ok((first.disk_usage_mb ?? 0) > 0);
  now = 999;
  assert.equal(meter.read(), first);
  now = 1_000;
  const second = meter.read();
  assert.notEqual(second, first);
  now = 1_999;
  assert.equal(meter.read(), second);
});
