import { join } from "node:path";
import { within } from "./within.ts";
import { ROOT } from "./doc_snippets.ts";

/** Timeout of the lines of a snippet. */
const RUN_MS = 60_000;

/** Output of a shell. */
export interface ShellOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder in which lines run as if typed by a user, with `browsergrid` on the PATH. Disposal removes it. */
export interface Shell extends AsyncDisposable {
  readonly folder: string;
  /** Adds a program to the PATH. */
  command(name: string, script: string): Promise<void>;
  /** Runs lines and stops at the first that fails. */
  run(lines: string): Promise<ShellOutput>;
  /** Runs lines until their output matches, then ends them. */
  until(lines: string, pattern: RegExp): Promise<RegExpExecArray>;
}

/** Opens a shell with these variables. */
export async function openShell(
  env: Readonly<Record<string, string>>,
): Promise<Shell> {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-shell-" });
  const bin = join(folder, "bin");
  await Deno.mkdir(bin);
  const command = async (name: string, script: string) =>
    await Deno.writeTextFile(join(bin, name), `#!/bin/sh\n${script}\n`, {
      mode: 0o755,
    });
  const main = join(ROOT, "main.ts");
  await command(
    "browsergrid",
    `exec "${Deno.execPath()}" run --no-check --quiet -A "${main}" "$@"`,
  );
  const spawn = (lines: string) =>
    new Deno.Command("bash", {
      args: ["-euo", "pipefail", "-c", lines],
      cwd: folder,
      env: { NO_COLOR: "1", ...env, PATH: `${bin}:${Deno.env.get("PATH")}` },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  return {
    folder,
    command,
    async run(lines) {
      const child = spawn(lines);
      const { code, stdout, stderr } = await within(child.output(), {
        what: `this ends: ${lines}`,
        ms: RUN_MS,
      });
      const decoder = new TextDecoder();
      return {
        code,
        stdout: decoder.decode(stdout),
        stderr: decoder.decode(stderr),
      };
    },
    async until(lines, pattern) {
      // The last line replaces the shell, so that signals reach it.
      const child = spawn(
        lines.trimEnd().replace(
          /\n?[^\n]*$/,
          (last) => last.replace(/^\n?/, "$&exec "),
        ),
      );
      try {
        return await within(printed(child, pattern), {
          what: `"${lines}" prints ${pattern}`,
          ms: RUN_MS,
        });
      } finally {
        child.kill("SIGTERM");
        await child.status;
      }
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** Returns the match in a process's output. The rest is also read, so that the process does not block. */
async function printed(
  child: Deno.ChildProcess,
  pattern: RegExp,
): Promise<RegExpExecArray> {
  let text = "";
  const match = Promise.withResolvers<RegExpExecArray>();
  const reading = [child.stdout, child.stderr].map(async (stream) => {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      text += part;
      const found = pattern.exec(text);
      if (found) match.resolve(found);
    }
  });
  void Promise.all(reading).then(() =>
    match.reject(new Error(`It ended without ${pattern}:\n${text}`))
  );
  return await match.promise;
}
