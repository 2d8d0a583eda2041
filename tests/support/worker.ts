import { createClient } from "../../src/client/client.ts";
import { systemClock } from "../../src/async/clock.ts";
import { Registry } from "../../src/core/registry.ts";
import type { StateStore } from "../../src/worker/state_file.ts";
import type { TunnelOpener } from "../../src/worker/tunnel/client.ts";
import type { Reach } from "../../src/worker/options.ts";
import { Worker } from "../../src/worker/worker.ts";
import { createFakeProvider, type FakeProvider } from "./fake_provider.ts";
import { type TestGrid, testGrid, type TestGridOptions } from "./grid.ts";

/** A listening grid with the fake provider, a pool "fakes", and a way to start its workers. */
export interface WorkerScene extends AsyncDisposable {
  readonly grid: TestGrid;
  readonly provider: FakeProvider;
  start(options?: StartOptions): Promise<Worker>;
  /** Asks for a session; returns its id. */
  ask(input?: Readonly<Record<string, unknown>>): Promise<string>;
}

/** Options of a worker of the scene. */
export interface StartOptions {
  readonly name?: string;
  readonly workerId?: string;
  readonly capacity?: number;
  readonly apiUrl?: string;
  readonly signal?: AbortSignal;
  /** In place of a file in the grid's folder. */
  readonly state?: StateStore;
  readonly reach?: Reach;
  /** Without it, browsers are reached directly only. */
  readonly openTunnel?: TunnelOpener;
}

/** Sets the scene. Workers are disposed by who starts them. */
export async function workerScene(
  options: TestGridOptions = {},
): Promise<WorkerScene> {
  const provider = createFakeProvider();
  const grid = await testGrid({
    listen: true,
    ...options,
    providers: [provider],
  });
  await grid.request("/v1/workerpool/pools", {
    method: "POST",
    json: { name: "fakes", provider_type: "fake" },
  });
  return {
    grid,
    provider,
    start: ({ name, workerId, capacity = 5, apiUrl, ...others } = {}) =>
      Worker.start({
        client: createClient({ apiUrl: apiUrl ?? grid.url }),
        providers: new Registry("provider", [provider]),
        clock: systemClock,
        workPoolId: "fakes",
        workerId,
        workerName: name,
        capacity,
        pollIntervalSeconds: 10,
        dataDir: grid.dataDir,
        version: "0.0.0-test",
        ...others,
      }),
    async ask(input = {}) {
      const answer = await grid.request("/v1/sessions", {
        method: "POST",
        json: input,
      });
      if (answer.status !== 201) throw new Error(await answer.text());
      const { id } = await answer.json();
      return id;
    },
    [Symbol.asyncDispose]: () => grid[Symbol.asyncDispose](),
  };
}
