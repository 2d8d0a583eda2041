import { fileURLToPath } from "node:url";

/** A program of this folder that runs until disposal. */
export interface RunningFloor extends AsyncDisposable {
  readonly pid: number;
  /** First line of its output. */
  readonly line: string;
}

/** Returns the command of a program of this folder. */
export function floorCommand(
  program: string,
  args: readonly string[] = [],
): readonly [string, ...string[]] {
  const file = fileURLToPath(new URL(program, import.meta.url));
  return [
    Deno.execPath(),
    ...["run", "--no-check", "--quiet", "-A", file, ...args],
  ];
}

/** Starts a program of this folder and waits for the first line of its output. */
export async function startFloor(
  program: string,
  args: readonly string[] = [],
): Promise<RunningFloor> {
  const [command, ...words] = floorCommand(program, args);
  const child = new Deno.Command(command, {
    args: words,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  return {
    pid: child.pid,
    line: value.trim(),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    },
  };
}
