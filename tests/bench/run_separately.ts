import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Values } from "./benchmark.ts";
import { type MachineLoad, observeMachine } from "./machine.ts";

const PROGRAM = fileURLToPath(new URL("run.ts", import.meta.url));

/** Timeout of a benchmark. */
const LIMIT_MS = 20 * 60_000;

const valuesSchema = z.record(z.string(), z.array(z.number()));

/** Values of a benchmark, and the load of the machine while it ran. */
export interface Measured {
  readonly values: Values;
  readonly machine: MachineLoad;
}

/** Runs a benchmark in a process of its own. Returns undefined if it fails; it has then printed the reason. */
export async function runSeparately(
  name: string,
): Promise<Measured | undefined> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const [command = "", ...args] = [
      ...await findReaper(),
      ...[Deno.execPath(), "run", "--no-check", "-A", PROGRAM, name, file],
    ];
    const observed = await observeMachine();
    const { success } = await new Deno.Command(command, {
      args,
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
      signal: AbortSignal.timeout(LIMIT_MS),
    }).output();
    const machine = await observed();
    if (!success) return undefined;
    const text = await Deno.readTextFile(file);
    return { values: valuesSchema.parse(JSON.parse(text)), machine };
  } finally {
    await Deno.remove(file);
  }
}

/**
 * Returns the command that becomes the parent of processes whose parent has ended, so that their CPU time counts as used
 * by the benchmark: a quarter of a browser's. Without `tini` it counts as used by others.
 */
async function findReaper(): Promise<readonly string[]> {
  try {
    await new Deno.Command("tini", { args: ["--version"] }).output();
    return ["tini", "-s", "--"];
  } catch {
    return [];
  }
}
