import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** Output of a process that has ended. */
export interface InputRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `browsergrid <args>` with `input` on its standard input, as a pipe gives it. */
export function runWithInput(
  args: readonly string[],
  input: string,
): Promise<InputRun> {
  return runCommandWithInput(
    Deno.execPath(),
    ["run", "--no-check", "--quiet", "-A", MAIN, ...args],
    input,
  );
}

/** Runs a program with `input` on its standard input. */
export async function runCommandWithInput(
  program: string,
  args: readonly string[],
  input: string,
): Promise<InputRun> {
  const child = new Deno.Command(program, {
    args: [...args],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}
