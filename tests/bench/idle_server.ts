/**
 * An idle server without a worker: how soon it is ready, and what it holds in memory.
 *
 * Prints the median of several starts with warm caches; ends with code 1 if a limit is passed. Linux.
 *
 * @module
 */
import { residentMb } from "../support/memory.ts";
import { startProgram } from "../support/program.ts";
import { print } from "./times.ts";

const ROUNDS = 7;
const READY_LIMIT_MS = 1_000;
const MEMORY_LIMIT_MB = 150;

const ready: number[] = [];
const memory: number[] = [];
for (let round = 0; round <= ROUNDS; round++) {
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-bench-" });
  try {
    const startedAt = performance.now();
    await using server = startProgram(
      ["serve", "--port", "0", "--data-dir", dataDir],
    );
    const [, url = ""] = await server.until(/API +(\S+)\/v1/);
    await (await fetch(`${url}/ready`)).body?.cancel();
    const elapsed = performance.now() - startedAt;
    // The first one warms the caches.
    if (round > 0) ready.push(elapsed);
    memory.push(await residentMb(server.pid));
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}
const readyMs = median(ready);
const memoryMb = median(memory);
print(
  `ready after ${
    readyMs.toFixed(0)
  } ms (limit ${READY_LIMIT_MS} ms), of ${ROUNDS} starts`,
);
print(
  `resident memory ${memoryMb.toFixed(0)} MB (limit ${MEMORY_LIMIT_MB} MB)`,
);
Deno.exit(readyMs < READY_LIMIT_MS && memoryMb < MEMORY_LIMIT_MB ? 0 : 1);

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
