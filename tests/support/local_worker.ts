/**
 * A program that starts and stops browsers of the local provider without end, in the data folder it is given, until
 * it is killed. It writes a line before each start. With `sweep` it only ends what is left there.
 *
 * @module
 */
import { systemClock } from "../../src/async/clock.ts";
import { local } from "../../src/providers/local/provider.ts";
import { browserSpec } from "./browser_spec.ts";

const [dataDir = "", task] = Deno.args;
const host = await local.open(local.configSchema.parse({}), {
  gridId: "grid-1",
  workerId: "worker-1",
  dataDir,
});
const never = new AbortController().signal;
if (task === "sweep") {
  await host.sweep(new Set());
  Deno.exit();
}
for (let round = 0;; round++) {
  // deno-lint-ignore no-console -- the test reads it
  console.log(round);
  const spec = browserSpec({ headless: round % 2 === 0 });
  const browser = await host.start(spec, `session-${round}`, never);
  await systemClock.sleep(100 * Math.random());
  await browser.stop(1_000);
}
