import assert from "node:assert/strict";
import { readResults, storeResult } from "./results.ts";

const MACHINE = { cores: 2, loadBefore: 0.3, others: 0.01, stolen: 0 };

Deno.test("storeResult() replaces the result of a benchmark and keeps those of the others", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.remove(file);
    assert.deepEqual(await readResults(file), {});
    await storeValues(file, "gateway", [1, 2, 3]);
    await storeValues(file, "api_load", [1, 2, 3]);
    await storeValues(file, "gateway", [4, 5, 6]);
    const { api_load, gateway } = await readResults(file);
    assert.deepEqual(api_load?.figures, { one: [1, 2, 3] });
    assert.deepEqual(gateway?.figures, { one: [4, 5, 6] });
    assert.deepEqual([gateway.cores, gateway.others], [2, 0.01]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("storeResult() removes the result of a benchmark that is gone", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(
      file,
      JSON.stringify({
        gone: { measured_on: "2026-01-01", cores: 1, others: 0, figures: {} },
      }),
    );
    await storeValues(file, "gateway", [1, 2, 3]);
    assert.deepEqual(Object.keys(await readResults(file)), ["gateway"]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("storeResult() stores five significant digits", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, "{}");
    await storeValues(file, "gateway", [1.2345678, 12_345.678, 0.0012345678]);
    const { gateway } = await readResults(file);
    assert.deepEqual(gateway?.figures.one, [1.2346, 12_346, 0.0012346]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("readResults() rejects a file with anything else", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, '{"gateway":{"figures":[]}}');
    await assert.rejects(readResults(file), /measured_on/);
  } finally {
    await Deno.remove(file);
  }
});

function storeValues(
  file: string,
  name: string,
  one: readonly number[],
): Promise<void> {
  return storeResult(file, name, { values: { one }, machine: MACHINE });
}
