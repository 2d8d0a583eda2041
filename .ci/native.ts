/**
 * Builds the native join for x86-64 and arm64: `deno task native`. Needs gcc and aarch64-linux-gnu-gcc on an x86-64
 * machine, of which those that are missing are named; on arm64, the other way round.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A machine that the native join is built for, by its name in `Deno.build.arch`. */
export type Machine = typeof Deno.build.arch;

const MACHINES: readonly Machine[] = ["x86_64", "aarch64"];
const SOURCE = fileURLToPath(
  new URL("../src/gateway/stream/native/join.c", import.meta.url),
);

/** No C library, no path or time in the result, and pages as large as some arm64 kernels have. */
const FLAGS = [
  ...["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-ffreestanding"],
  ...["-fPIC", "-shared", "-nostdlib", "-fvisibility=hidden", "-s"],
  ...["-fno-stack-protector", "-fno-asynchronous-unwind-tables"],
  ...["-Wl,--build-id=none", "-Wl,-z,noexecstack", "-Wl,-z,defs"],
];

/** Atomic operations without libgcc. */
const FLAGS_OF: Partial<Record<Machine, readonly string[]>> = {
  aarch64: ["-mno-outline-atomics"],
};

/** Builds the library of a machine at `output`. Returns what is missing or wrong; undefined if it is built. */
export async function buildNative(
  machine: Machine,
  output: string,
  source: string = SOURCE,
): Promise<string | undefined> {
  const compiler = `${machine}-linux-gnu-gcc`;
  try {
    const { success, stderr } = await new Deno.Command(compiler, {
      args: [
        ...[...FLAGS, ...FLAGS_OF[machine] ?? []],
        ...["-o", output, source],
      ],
      stdin: "null",
    }).output();
    return success ? undefined : new TextDecoder().decode(stderr);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return `Cannot build for ${machine}: ${compiler} is missing (Debian: gcc-${
      machine.replace("_", "-")
    }-linux-gnu)`;
  }
}

if (import.meta.main) {
  for (const machine of MACHINES) {
    const output = join(dirname(SOURCE), `join_${machine}.so`);
    const problem = await buildNative(machine, output);
    // deno-lint-ignore no-console -- its output
    console.log(problem ?? `Built ${output}`);
    if (problem) Deno.exitCode = 1;
  }
}
