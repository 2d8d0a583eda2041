import assert from "node:assert/strict";
import type { Footprint } from "./footprint.ts";
import { compareCounts, isFine, measureGrowth } from "./verdict.ts";

/** A grid of one server. */
function footprint(
  { liveMb = 25, residentMb = 100, sockets = 14, container = 0 },
): Footprint {
  return {
    processes: { server: { liveMb, residentMb, files: 25, sockets } },
    traces: { process: 0, folder: 0, temporary: 0, container },
  };
}

/** Expected findings. */
function faults(findings: ReturnType<typeof compareCounts>) {
  return findings.filter((finding) => !isFine(finding)).map(({ what }) => what);
}

Deno.test("compareCounts() finds a leaked container and socket", () => {
  const before = footprint({});
  assert.deepEqual(faults(compareCounts(before, footprint({}))), []);
  assert.deepEqual(faults(compareCounts(before, footprint({ container: 1 }))), [
    "container traces",
  ]);
  assert.deepEqual(faults(compareCounts(before, footprint({ sockets: 15 }))), [
    "sockets of the server",
  ]);
});

Deno.test("measureGrowth() finds constant growth, and ignores one peak", () => {
  const looks = Array.from({ length: 15 }, (_, at) => at);
  const steady = looks.map((at) =>
    footprint({ residentMb: at === 13 ? 400 : 100, liveMb: 25 + at % 3 })
  );
  assert.deepEqual(faults(measureGrowth(steady)), []);
  const growing = looks.map((at) => footprint({ liveMb: 25 + at / 2 }));
  assert.deepEqual(faults(measureGrowth(growing)), [
    "objects of the server, MB",
  ]);
});
