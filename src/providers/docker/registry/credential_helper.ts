import process from "node:process";
import { z } from "zod";
import { PARSED_ONCE } from "../../../core/schema.ts";
import { abortable } from "../../../async/abortable.ts";
import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";

/** Timeout of a helper: some ask a cloud for a token. */
const TIMEOUT_MS = 20_000;

/** Maximum output of a helper. */
const MAX_BYTES = 64 * 1024;

/** Output of a helper that has no credentials for a registry, in the protocol of helpers. */
const NOT_FOUND = /credentials not found in native keychain/;

const outputSchema = z.object({
  Username: z.string(),
  Secret: z.string().min(1),
});

/** Credentials of a helper. The user name `<token>` marks a token. */
export type HelperCredentials = z.infer<typeof outputSchema>;

/** Options of {@linkcode runCredentialHelper}. */
export interface HelperOptions {
  readonly signal: AbortSignal;
  /** @default {20_000} */
  readonly timeoutMs?: number;
}

/**
 * Runs `docker-credential-NAME get` for a registry and returns its credentials; undefined if it has none.
 *
 * The program has the variables of this process, of which helpers of clouds read several, except those of the grid.
 *
 * @throws {Error} If it cannot be started, fails, does not end in time, or prints something else. The message has
 *   nothing of its output, which may be a secret.
 * @see {@link https://github.com/docker/docker-credential-helpers Protocol of helpers}
 */
export async function runCredentialHelper(
  name: string,
  key: string,
  { signal, timeoutMs = TIMEOUT_MS }: HelperOptions,
): Promise<HelperCredentials | undefined> {
  const program = `docker-credential-${name}`;
  const fail = (state: string) =>
    new Error(
      `Cannot run credential helper "${program}" for "${key}": ${state}`,
    );
  using timeout = deadline(systemClock, timeoutMs, signal);
  let result: HelperResult;
  try {
    result = await runProgram(program, `${key}\n`, timeout.signal);
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.signal.aborted) {
      throw fail(`it did not end in ${timeoutMs / 1000} s`);
    }
    if (error instanceof Deno.errors.NotFound) {
      throw fail("it is not installed, expected it on the PATH");
    }
    throw fail("it cannot be started");
  }
  const { output, code } = result;
  if (output === undefined) {
    throw fail(`it printed more than ${MAX_BYTES} bytes`);
  }
  if (code !== 0) {
    if (NOT_FOUND.test(output)) return undefined;
    throw fail(`it exited with ${code}`);
  }
  const parsed = outputSchema.safeParse(parseJson(output), PARSED_ONCE);
  if (parsed.success) return parsed.data;
  throw fail("its output is not valid, expected JSON with Username and Secret");
}

/** Output, which is undefined if it is too long, and exit code of a program. */
interface HelperResult {
  readonly output: string | undefined;
  readonly code: number;
}

/** Runs a program, which does not outlive the signal. */
async function runProgram(
  program: string,
  input: string,
  signal: AbortSignal,
): Promise<HelperResult> {
  signal.throwIfAborted();
  await using child = new Deno.Command(program, {
    args: ["get"],
    env: createEnvironment(),
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    // A group of its own, which ends with processes that a script has started.
    detached: true,
  }).spawn();
  const writer = child.stdin.getWriter();
  // A helper may end without reading it.
  void writer.write(new TextEncoder().encode(input)).catch(() => {});
  void writer.close().catch(() => {});
  const reader = child.stdout.getReader();
  try {
    // A child process of the helper may keep the output open.
    const output = await abortable(readLimited(reader), signal);
    if (output === undefined) {
      killGroup(child);
      return { output, code: 0 };
    }
    const { code } = await abortable(child.status, signal);
    return { output, code };
  } catch (error) {
    killGroup(child);
    throw error;
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function createEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Deno.env.toObject())
      .filter(([name]) => !name.toUpperCase().startsWith("BROWSERGRID_")),
  );
}

function killGroup(child: Deno.ChildProcess): void {
  try {
    if (Deno.build.os === "windows") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** Reads the whole output; undefined if it is longer than the maximum. */
async function readLimited(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    if (bytes > MAX_BYTES) return undefined;
    text += decoder.decode(value, { stream: true });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
