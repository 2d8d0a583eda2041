import { fileURLToPath } from "node:url";
import { installClients } from "./node_client.ts";

const CLIENTS = fileURLToPath(new URL("../e2e/clients/", import.meta.url));

/** A Node program that runs beside the test. Disposal kills it. */
export interface NodeProcess extends AsyncDisposable {
  /** The next line that it prints; rejects if it ends before. */
  line(): Promise<string>;
  /** Ends it as an accident would. */
  kill(): void;
  /** Resolves with the error output when the process has ended. */
  readonly errors: Promise<string>;
}

/** Starts a Node program that may import the real clients. Its arguments are the last of `process.argv`. */
export async function startNode(
  source: string,
  args: readonly string[] = [],
): Promise<NodeProcess> {
  await installClients();
  const child = new Deno.Command("node", {
    args: ["--input-type=module", "--eval", source, "--", ...args],
    // Where its imports are looked up.
    cwd: CLIENTS,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = readLines(child.stdout);
  const errors = new Response(child.stderr).text();
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  };
  return {
    async line() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`The program has ended: ${await errors}`);
      return value;
    },
    kill,
    errors,
    async [Symbol.asyncDispose]() {
      kill();
      await child.status;
      for await (const _ of lines);
      await errors;
    },
  };
}

async function* readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string, void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
