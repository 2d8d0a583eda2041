import { z } from "zod";
import { clientProgram } from "../support/node_client.ts";
import { startNode } from "../support/node_process.ts";
import { quantile } from "./times.ts";

/** Pause between two trips whose delay is measured. */
const PAUSE_MS = 2;

/** Unit of times in `/proc`, in microseconds. */
const TICK_US = 10_000;

const pacedSchema = z.object({ times: z.array(z.number()) });

/** A browser that is only a socket, in a process of its own. It sends messages back. */
export interface SyntheticBrowser extends AsyncDisposable {
  readonly endpoint: string;
}

/** Starts a synthetic browser. Reach it through a session of {@linkcode givenGrid}. */
export async function startSynthetic(): Promise<SyntheticBrowser> {
  const url = new URL("gateway_upstream.mjs", import.meta.url);
  const upstream = await startNode(await Deno.readTextFile(url));
  return {
    endpoint: `ws://127.0.0.1:${await upstream.line()}/devtools/browser/x`,
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  };
}

/** Options of {@linkcode measureDelay}. */
export interface DelayOptions {
  /** Connect URL of a session with a synthetic browser. */
  readonly url: string;
  /** Duration of each of the two measurements. */
  readonly seconds: number;
  /** Loads the server until `signal` is aborted. */
  readonly load: (signal: AbortSignal) => Promise<void>;
}

/**
 * Returns how much longer the round trips of a client take while `load` runs than without it, in milliseconds: the
 * difference of the 99th percentiles of one trip every 2 ms.
 */
export async function measureDelay(
  { url, seconds, load }: DelayOptions,
): Promise<number> {
  const trips = { url, seconds, pauseMs: PAUSE_MS };
  const alone = await measurePaced(trips);
  const over = new AbortController();
  const loading = load(over.signal);
  const loaded = await measurePaced(trips);
  over.abort();
  await loading;
  return quantile(loaded, 0.99) - quantile(alone, 0.99);
}

/** Options of {@linkcode measureCpu}. */
export interface CpuOptions {
  /** Connect URL of a session with a synthetic browser. */
  readonly url: string;
  readonly seconds: number;
  /** Process id of the server. */
  readonly pid: number;
}

/** Returns the processor time of the server for one round trip of a short message, in microseconds. Linux. */
export async function measureCpu(
  { url, seconds, pid }: CpuOptions,
): Promise<number> {
  const before = await readTicks(pid);
  const { length } = await measurePaced({ url, seconds, pauseMs: 0 });
  return (await readTicks(pid) - before) * TICK_US / length;
}

/** User and system time of a process. */
async function readTicks(pid: number): Promise<number> {
  const text = await Deno.readTextFile(`/proc/${pid}/stat`);
  // After the name, which may contain spaces, the third field is first.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

async function measurePaced(
  { url, seconds, pauseMs }: {
    readonly url: string;
    readonly seconds: number;
    readonly pauseMs: number;
  },
): Promise<readonly number[]> {
  const program = await clientProgram("gateway_bench.mjs");
  await using client = await startNode(program, [
    "paced",
    JSON.stringify({ url, seconds, pause_ms: pauseMs }),
  ]);
  return pacedSchema.parse(JSON.parse(await client.line())).times;
}
