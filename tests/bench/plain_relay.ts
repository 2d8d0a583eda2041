import { startFloor } from "./floors/start_floor.ts";
import { measureCpu, startSynthetic } from "./stream_trips.ts";

/** Returns the processor time of the minimal relay for one trip to a synthetic browser, in microseconds. */
export async function measureRelayCpu(seconds: number): Promise<number> {
  await using synthetic = await startSynthetic();
  await using relay = await startRelay(new URL(synthetic.endpoint));
  const trips = { url: relay.url, seconds, pid: relay.pid };
  // The first seconds compile the program.
  await measureCpu(trips);
  return await measureCpu(trips);
}

/** Starts the minimal relay to a browser. Its URL leads to the browser through the relay. */
export async function startRelay(
  endpoint: URL,
): Promise<AsyncDisposable & { readonly url: string; readonly pid: number }> {
  const relay = await startFloor("relay.ts", [endpoint.port]);
  const url = new URL(endpoint);
  url.port = relay.line;
  return {
    url: url.href,
    pid: relay.pid,
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
}
