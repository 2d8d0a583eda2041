import { z } from "zod";
import { gaugeMemory } from "../support/memory.ts";
import { startGrid } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";

const SUBSCRIBERS = 100;
const RATE = 200;

/** Less than the 30 s after which the stream that is not read is dropped. */
const SECONDS = 20;

const resultSchema = z.object({
  wrong: z.int(),
  delay_p50_ms: z.number(),
  delay_p99_ms: z.number(),
  received: z.int(),
  dropped: z.int(),
});

/** A server over SQLite whose events many subscribers follow, one of which reads nothing. */
export const benchmark = defineBenchmark({
  title: "Streams of events",
  method:
    `A Node.js process records 20,000 events and opens ${SUBSCRIBERS} event streams, and one more from the first event on that it does not read. Then it creates sessions for ${SECONDS} s, with ${RATE} events a second, as it did for 10 s before there were streams.`,
  figures: {
    event_streams_wrong: {
      title: "events lost, repeated or out of order",
      unit: "count",
      limit: { atMost: 0 },
      definition: "Of all events of all streams that are read.",
    },
    event_streams_p50: {
      title: "time to a subscriber, p50",
      unit: "ms",
      limit: "none",
      definition:
        "Time from the record of an event to its arrival, of all events of all streams.",
    },
    event_streams_p99: {
      title: "time to a subscriber, p99",
      unit: "ms",
      limit: { atMost: 1_000 },
      definition: "The same.",
    },
    event_streams_mb: {
      title: `memory of ${SUBSCRIBERS} event streams`,
      unit: "MB",
      limit: { atMost: 20 },
      definition:
        "Resident memory of the server with the open streams after a garbage collection, less that after the same events without streams.",
    },
    event_streams_dropped: {
      title: "stalled stream dropped with a reason",
      unit: "count",
      limit: { atLeast: 1 },
      definition:
        "1 if the server logs that it drops the stream that is not read, and the last message of that stream is `event_stream_stalled`.",
    },
  },
  async *measure() {
    for (let run = 0; run < MIN_RUNS; run++) {
      const { growthMb, ...result } = await follow();
      yield {
        event_streams_wrong: result.wrong,
        event_streams_p50: result.delay_p50_ms,
        event_streams_p99: result.delay_p99_ms,
        event_streams_mb: growthMb,
        event_streams_dropped: result.dropped,
      };
    }
  },
});

async function follow() {
  await using grid = await startGrid({
    args: [],
    env: {
      BROWSERGRID_LOG_LEVEL: "warning",
      BROWSERGRID_APP_OPTIONS: '{"events": {"max_streams_per_key": 200}}',
    },
    inspect: true,
  });
  using memory = await gaugeMemory(grid.server);
  const load = new Deno.Command("node", {
    args: [
      new URL("event_streams.mjs", import.meta.url).pathname,
      grid.url,
      ...[SUBSCRIBERS, RATE, SECONDS].map(String),
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const input = load.stdin.getWriter();
  const resume = () => input.write(new TextEncoder().encode("\n"));
  let alone = NaN;
  let followed = NaN;
  let result: z.infer<typeof resultSchema> | undefined;
  for await (const line of readLines(load.stdout)) {
    if (line === "alone") {
      alone = await memory.collected();
      await resume();
    } else if (line === "followed") {
      followed = await memory.collected();
      await grid.server.until(/Event stream of .* dropped/);
      await resume();
    } else result = resultSchema.parse(JSON.parse(line));
  }
  await input.close().catch(() => {});
  if (!(await load.status).success || !result) {
    throw new Error("Cannot measure: the load generator failed");
  }
  return { ...result, growthMb: followed - alone };
}

async function* readLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
  let rest = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
