import assert from "node:assert/strict";
import {
  compareCpuTimes,
  observeMachine,
  parseCpuTime,
  renderMachine,
} from "./machine.ts";

const MACHINE = "cpu  100 10 50 800 30 0 6 4 0 0\ncpu0 1 2 3\n";
const PROCESS =
  "42 (a (b) c) S 1 42 42 0 -1 4194304 900 0 0 0 11 12 13 14 20 0 1 0\n";

Deno.test("parseCpuTime() adds up the machine's times, and those of the process and its ended children", () => {
  assert.deepEqual(parseCpuTime(MACHINE, PROCESS), {
    total: 1_000,
    busy: 166,
    stolen: 4,
    own: 50,
  });
});

Deno.test("the CPU of the benchmark and time that was stolen do not count as used by others", () => {
  const before = { total: 1_000, busy: 500, stolen: 0, own: 100 };
  const after = { total: 2_000, busy: 1_200, stolen: 50, own: 400 };
  assert.deepEqual(compareCpuTimes(before, after), {
    others: 0.4,
    stolen: 0.05,
  });
});

Deno.test("observeMachine() reads the load of this machine", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const observed = await observeMachine();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const { cores, loadBefore, others, stolen } = await observed();
  assert.ok(cores > 0 && loadBefore >= 0);
  assert.ok(others >= 0 && others <= 1, String(others));
  assert.ok(stolen >= 0 && stolen <= 1, String(stolen));
});

Deno.test("renderMachine() shows cores, load and the shares of others in percent", () => {
  assert.equal(
    renderMachine({ cores: 2, loadBefore: 0.38, others: 0.123, stolen: 0 }),
    "Machine: 2 cores, load 0.38 before; CPU used by others 12 %, stolen 0 %",
  );
});
