import { fileURLToPath } from "node:url";
import { RUN_FLAGS, START_FLAGS } from "../../.ci/run_flags.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** Longest time for `serve` or `worker` to say that it is ready. */
const READY_MS = 60_000;

/** A bundle imports nothing but its own modules. */
const WITHOUT_PACKAGES = ["--no-remote", "--no-npm", "--cached-only"];

/** The program in a process of its own. Disposal ends it with SIGTERM, after 15 s with SIGKILL. */
export interface RunningProgram extends AsyncDisposable {
  readonly pid: number;
  /** Returns the output so far, of both streams. */
  output(): string;
  /** Resolves when the output matches; rejects with all output if the program ends before or takes too long. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the exit code. */
  readonly status: Promise<Deno.CommandStatus>;
  kill(signal: Deno.Signal): void;
}

/** Selects the program. */
export interface ProgramOptions {
  /** Command prefix, such as `unshare …`. */
  readonly under?: readonly string[];
  /** First module of a bundle, which runs without the project's packages. @default the source */
  readonly bundle?: string;
  /** First module of another version's source, which runs with its own configuration. @default this version's */
  readonly main?: string;
  /** Words that start an installed program. @default Deno with the source or the bundle */
  readonly command?: readonly string[];
}

/** Options of {@linkcode startProgram}. */
export interface StartOptions extends ProgramOptions {
  /** True if its output contains a debugger's URL. */
  readonly inspect?: boolean;
}

/** Starts `browsergrid <args>` with `env` added to the environment. */
export function startProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { inspect = false, ...options }: StartOptions = {},
): RunningProgram {
  const how = inspect ? "--inspect=127.0.0.1:0" : "--quiet";
  const [command = Deno.execPath(), ...words] = selectProgram(options, how);
  const child = new Deno.Command(command, {
    args: [...words, ...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  const waiting = new Set<() => void>();
  const reading = Promise.all(
    [child.stdout, child.stderr].map(async (stream) => {
      const decoder = new TextDecoderStream();
      for await (const chunk of stream.pipeThrough(decoder)) {
        text += chunk;
        for (const check of [...waiting]) check();
      }
    }),
  );
  const running: RunningProgram = {
    pid: child.pid,
    status: child.status,
    output: () => text,
    kill: (signal) => child.kill(signal),
    until: (pattern) => until(pattern),
    async [Symbol.asyncDispose]() {
      const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended already.
      }
      await child.status;
      clearTimeout(timer);
      await reading;
    },
  };
  return running;

  function until(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        finish();
        reject(
          new Error(`Waited for ${pattern}, but ${why}. Output:\n${text}`),
        );
      };
      const timer = setTimeout(() => fail("it took too long"), READY_MS);
      const check = () => {
        const match = pattern.exec(text);
        if (!match) return;
        finish();
        resolve(match);
      };
      function finish() {
        clearTimeout(timer);
        waiting.delete(check);
      }
      waiting.add(check);
      check();
      void child.status.then(() => reading).then(() => {
        if (waiting.has(check)) fail("the program ended");
      });
    });
  }
}

/** Runs `browsergrid <args>` to its end. */
export async function runProgram(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  options: ProgramOptions = {},
): Promise<
  { readonly code: number; readonly stdout: string; readonly stderr: string }
> {
  const [command = Deno.execPath(), ...words] = selectProgram(
    options,
    "--quiet",
  );
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...words, ...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** Returns the words of the command that runs the program. */
function selectProgram(
  { under = [], bundle, main = MAIN, command }: ProgramOptions,
  how: string,
): readonly string[] {
  if (command) return [...under, ...command];
  const args = bundle === undefined
    ? ["run", ...START_FLAGS, "--no-check", how, "-A", main]
    : [...RUN_FLAGS, how, ...WITHOUT_PACKAGES, bundle];
  return [...under, Deno.execPath(), ...args];
}
