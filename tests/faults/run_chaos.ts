/**
 * Faults in random order for as long as `CHAOS_MINUTES` says (10), ordered by `CHAOS_SEED` (a random one). Ends with
 * code 1 at the first fault after which an invariant does not hold.
 *
 * @module
 */
import { runChaos } from "./chaos.ts";

const minutes = readNumber("CHAOS_MINUTES", 10);
const seed = readNumber("CHAOS_SEED", Math.floor(Math.random() * 2 ** 31));

print(`chaos for ${minutes} minutes with seed ${seed}`);
try {
  await runChaos({ seed, forMs: minutes * 60_000, print });
} catch (error) {
  print(String(error));
  Deno.exitCode = 1;
}

function readNumber(variable: string, byDefault: number): number {
  const text = Deno.env.get(variable);
  const value = text === undefined ? byDefault : Number(text);
  if (Number.isFinite(value)) return value;
  throw new Error(`Cannot use ${variable} "${text}": expected a number`);
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
