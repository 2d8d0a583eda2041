import { z } from "zod";

const quantilesSchema = z.object({
  count: z.int().optional(),
  p50_ms: z.number(),
  p99_ms: z.number(),
  max_ms: z.number(),
});

const runSchema = quantilesSchema.extend({
  requests: z.int(),
  per_second: z.number(),
  failures: z.record(z.string(), z.int()),
  by_request: z.record(z.string(), quantilesSchema),
  load_cpu_share: z.number(),
});

/** Result of a run of the load generator. */
export type LoadRun = z.infer<typeof runSchema>;

/** The running load generator of the API. */
export interface LoadProcess extends AsyncDisposable {
  /** Sends the mix of requests at a rate. */
  run(rate: number, seconds: number): Promise<LoadRun>;
}

/** Starts the load generator against a server, with pools, workers and sessions for its requests. */
export async function startLoad(url: string): Promise<LoadProcess> {
  const child = new Deno.Command("node", {
    args: [new URL("api_load.mjs", import.meta.url).pathname, url],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = readLines(child.stdout);
  const stdin = child.stdin.getWriter();
  await lines.next();
  return {
    async run(rate, seconds) {
      const order = `${JSON.stringify({ rate, seconds })}\n`;
      await stdin.write(new TextEncoder().encode(order));
      const { value = "" } = await lines.next();
      return runSchema.parse(JSON.parse(value));
    },
    async [Symbol.asyncDispose]() {
      await stdin.close().catch(() => {});
      await child.status;
      await lines.return(undefined);
    },
  };
}

/** Yields the lines of a stream. @throws {Error} If it ends before a line that is awaited. */
async function* readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string, void> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (text + chunk).split("\n");
    text = lines.pop() ?? "";
    yield* lines;
  }
  throw new Error("Cannot measure: the load generator ended");
}
