import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** Longest time for the program to print what is awaited. */
const ANSWER_MS = 10_000;

/** The program in a terminal of its own. Disposal ends it. */
export interface TerminalProgram extends AsyncDisposable {
  /** Types `text` and resolves with everything printed since the last call, once it matches. */
  type(text: string, until: RegExp): Promise<string>;
  /** Types `text` and resolves with the exit code. */
  end(text: string): Promise<number>;
}

/** Why no terminal can be made here, if it cannot. */
export async function terminalMissing(): Promise<string | undefined> {
  try {
    const { success } = await new Deno.Command("script", {
      args: ["--quiet", "--return", "--command", "true", "/dev/null"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return success ? undefined : "script (util-linux) makes no terminal";
  } catch {
    return "script (util-linux) is not there";
  }
}

/**
 * Runs `browsergrid <args>` as in a terminal, which `script` of util-linux makes.
 *
 * @param columns Width of the terminal, which otherwise has none.
 */
export function runInTerminal(
  args: readonly string[],
  columns?: number,
): TerminalProgram {
  const program = [Deno.execPath(), "run", "--no-check", "-A", MAIN, ...args]
    .map((word) => `'${word}'`).join(" ");
  const command = columns === undefined
    ? program
    : `stty cols ${columns}; exec ${program}`;
  const child = new Deno.Command("script", {
    args: ["--quiet", "--return", "--command", command, "/dev/null"],
    env: { NO_COLOR: "1", TERM: "xterm" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const send = (text: string) => writer.write(new TextEncoder().encode(text));
  return {
    async type(text, until) {
      await send(text);
      let printed = "";
      const timer = setTimeout(() => child.kill("SIGKILL"), ANSWER_MS);
      try {
        while (!until.test(printed)) {
          const { value, done } = await reader.read();
          if (done) throw new Error(`No ${until} in:\n${printed}`);
          printed += value;
        }
        return printed;
      } finally {
        clearTimeout(timer);
      }
    },
    async end(text) {
      await send(text);
      while (!(await reader.read()).done);
      return (await child.status).code;
    },
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended already.
      }
      await writer.close().catch(() => {});
      await reader.cancel();
      await child.status;
    },
  };
}
