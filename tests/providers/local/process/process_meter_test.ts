import assert from "node:assert/strict";
import { systemClock } from "../../../../src/async/clock.ts";
import { endGroup } from "../../../../src/providers/local/process/process_group.ts";
import {
  groupByLeader,
  ProcessMeter,
} from "../../../../src/providers/local/process/process_meter.ts";
import { parseUnits } from "../../../../src/providers/local/process/system_units.ts";
import { startGroup } from "../../../support/process_group.ts";

const isLinux = Deno.build.os === "linux";

Deno.test({
  name: "read() counts memory and processor time of the whole group",
  ignore: !isLinux,
  async fn() {
    const { leader, closed } = await startGroup(
      "sleep 300 & for i in $(seq 400000); do :; done; echo; wait",
    );
    const meter = new ProcessMeter();
    const { memoryMb = 0, cpuSeconds = 0 } = await meter.read(leader.pid) ?? {};
    assert.ok(memoryMb > 0.5 && memoryMb < 100, `${memoryMb} MB`);
    assert.ok(cpuSeconds > 0 && cpuSeconds < 10, `${cpuSeconds} s`);
    await endGroup(leader);
    await closed;
    assert.equal(await meter.read(leader.pid), undefined);
  },
});

Deno.test({
  name: "read() keeps the processor time of a child that has ended",
  ignore: !isLinux,
  async fn() {
    const { leader, closed } = await startGroup(
      "sh -c 'for i in $(seq 200000); do :; done'; echo; wait; sleep 300",
    );
    const { cpuSeconds = 0 } = await new ProcessMeter().read(leader.pid) ?? {};
    assert.ok(cpuSeconds >= 0.03, `${cpuSeconds} s`);
    await endGroup(leader);
    await closed;
  },
});

Deno.test({
  name: "calls of one turn share one scan of the processes",
  ignore: !isLinux,
  async fn() {
    const groups = await Promise.all(
      [1, 2, 3].map(() => startGroup("echo; exec sleep 300")),
    );
    const readDirSync = Deno.readDirSync;
    let scans = 0;
    Deno.readDirSync = (path) => {
      if (path === "/proc") scans++;
      return readDirSync(path);
    };
    try {
      const meter = new ProcessMeter();
      const uses = await Promise.all(
        groups.map(({ leader }) => meter.read(leader.pid)),
      );
      assert.ok(uses.every((use) => use !== undefined && use.memoryMb > 0));
      assert.equal(scans, 1);
      await meter.read(groups[0]?.leader.pid ?? 0);
      assert.equal(scans, 2);
    } finally {
      Deno.readDirSync = readDirSync;
    }
    for (const { leader, closed } of groups) {
      await endGroup(leader, () => systemClock.monotonic());
      await closed;
    }
  },
});

Deno.test("descendants outside the group of a browser belong to it, and its parents do not", () => {
  const process = (pid: number, parent: number, group: number) => ({
    ...{ pid, parent, group, state: "S", start: "1", ticks: 0 },
  });
  const stats = [
    process(1, 0, 1),
    process(10, 1, 10),
    process(11, 10, 10),
    // Started a session of its own, and a child in it.
    process(12, 11, 12),
    process(13, 12, 12),
    // Its parent has ended.
    process(14, 1, 10),
    process(20, 1, 20),
    // The ids of two processes were reused.
    process(30, 31, 30),
    process(31, 30, 30),
  ];
  const groups = groupByLeader(stats, new Set([10, 20]));
  assert.deepEqual(
    [...groups].map(([leader, all]) => [leader, all.map(({ pid }) => pid)]),
    [[10, [10, 11, 12, 13, 14]], [20, [20]]],
  );
});

Deno.test("parseUnits() returns the page size and the ticks of the machine", () => {
  const vector = new BigUint64Array([6n, 16_384n, 17n, 250n, 0n, 0n]);
  assert.deepEqual(parseUnits(vector), {
    pageBytes: 16_384,
    ticksPerSecond: 250,
  });
  assert.deepEqual(parseUnits(new BigUint64Array()), {
    pageBytes: 4_096,
    ticksPerSecond: 100,
  });
});
