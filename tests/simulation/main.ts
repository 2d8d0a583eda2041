/**
 * Runs the simulation from the command line: one seed to see a failure again, or one after another to look for new ones.
 *
 * ```text
 * deno task simulate [--seed N] [--runs N] [--sessions N] [--faults NAME,NAME] [--trace]
 * ```
 *
 * @module
 */
import { parseArgs } from "node:util";
import { FAULT_NAMES } from "./faults.ts";
import { type Outcome, simulate, SimulationFailure } from "./simulation.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    runs: { type: "string", default: "10" },
    sessions: { type: "string", default: "2000" },
    faults: { type: "string" },
    trace: { type: "boolean", default: false },
  },
});

const seed = values.seed === undefined
  ? Math.floor(Math.random() * 1e9)
  : Number(values.seed);
const runs = values.seed === undefined ? Number(values.runs) : 1;
const names = values.faults?.split(",");
const faults = names && FAULT_NAMES.filter((name) => names.includes(name));

try {
  for (let run = 0; run < runs; run++) {
    const options = {
      seed: seed + run,
      sessions: Number(values.sessions),
      faults,
      sink: values.trace ? print : undefined,
    };
    print(summary(seed + run, await simulate(options)));
  }
} catch (error) {
  if (!(error instanceof SimulationFailure)) throw error;
  print(error.message);
  Deno.exitCode = 1;
}

function summary(seed: number, outcome: Outcome): string {
  const { asked, made, accepted, steps, virtualMs, faults } = outcome;
  const { cleanAfterMs, outlivedMs, emptyMs } = outcome;
  const kinds = [...faults].map(([name, count]) => `${name} ${count}`);
  const injected = [...faults.values()].reduce((sum, each) => sum + each, 0);
  return [
    `seed ${seed}: ${asked} asked for, ${made} made, ${accepted} accepted, 0 lost, 0 leaked`,
    `${injected} faults (${kinds.sort().join(", ")})`,
    `${steps} steps, ${(virtualMs / 60_000).toFixed(1)} virtual minutes`,
    `clean ${renderSeconds(cleanAfterMs)} after the last fault`,
    `a browser outlived its session by ${renderSeconds(outlivedMs)} at most`,
    `a session was held without one for ${renderSeconds(emptyMs)} at most`,
  ].join("; ");
}

function renderSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
