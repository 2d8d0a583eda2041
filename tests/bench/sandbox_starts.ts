/**
 * Starts local browsers with and without isolation in turn, and prints the durations in milliseconds as JSON. The
 * argument is the number of starts of each.
 *
 * @module
 */
import { local } from "../../src/providers/local/provider.ts";
import { browserSpec } from "../support/browser_spec.ts";
import { print } from "./times.ts";

const rounds = Number(Deno.args[0]);
const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-bench-" });
const times = { plain: [] as number[], isolated: [] as number[] };
{
  await using host = await local.open(local.configSchema.parse({}), {
    gridId: "bench",
    workerId: "bench",
    dataDir,
  });
  for (let round = 0; round <= rounds; round++) {
    for (const side of ["plain", "isolated"] as const) {
      const spec = browserSpec({ isolated: side === "isolated" });
      const startedAt = performance.now();
      const browser = await host.start(
        spec,
        crypto.randomUUID(),
        new AbortController().signal,
      );
      // The first of each kind reads its files from disk.
      if (round > 0) times[side].push(performance.now() - startedAt);
      await browser.stop(0);
    }
  }
}
await Deno.remove(dataDir, { recursive: true });
print(JSON.stringify(times));
