import { createClient } from "../../src/client/client.ts";
import { type Clock, systemClock } from "../../src/async/clock.ts";
import type { Provider } from "../../src/core/provider.ts";
import { Registry } from "../../src/core/registry.ts";
import { local } from "../../src/providers/local/provider.ts";
import { Worker } from "../../src/worker/worker.ts";
import {
  createFakeProvider,
  type FakeProvider,
} from "../support/fake_provider.ts";
import { type TestGrid, testGrid } from "../support/grid.ts";
import { type HranaServer, startHranaServer } from "../support/hrana_server.ts";

/** Token that the database of these tests asks for. */
export const TOKEN = "token-of-the-database";

/** Two servers on one remote database. */
export interface Replicas extends AsyncDisposable {
  readonly database: HranaServer;
  readonly here: TestGrid;
  readonly there: TestGrid;
}

/** Starts two servers, which listen unless a clock is given. */
export async function twoReplicas(
  { clock }: { readonly clock?: Clock } = {},
): Promise<Replicas> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await startHranaServer({ authToken: TOKEN }));
  const replica = async () =>
    stack.use(
      await testGrid({
        settings: {
          database_url: database.url,
          database_auth_token: TOKEN,
        },
        ...(clock ? { clock } : { listen: true }),
      }),
    );
  const [here, there] = [await replica(), await replica()];
  const owned = stack.move();
  return {
    database,
    here,
    there,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Browsers that are only counted, of a provider that the servers know. */
export interface CountedStarts {
  readonly fake: FakeProvider;
  readonly provider: Provider;
  /** Session ids in the order of their starts. */
  readonly starts: readonly string[];
}

/** The provider `local`, without its browsers. */
export function countedStarts(): CountedStarts {
  const fake = createFakeProvider();
  const starts: string[] = [];
  const provider: Provider = {
    ...local,
    async open(_config, info) {
      const host = await fake.open({}, info);
      return {
        ...host,
        start(spec, sessionId, signal) {
          starts.push(sessionId);
          return host.start(spec, sessionId, signal);
        },
      };
    },
  };
  return { fake, provider, starts };
}

/** Starts a worker of pool "pool" at that server. */
export function createWorker(
  grid: TestGrid,
  provider: Provider,
  { name, capacity, apiKey }: {
    readonly name: string;
    readonly capacity: number;
    readonly apiKey?: string;
  },
): Promise<Worker> {
  return Worker.start({
    client: createClient({ apiUrl: grid.url, apiKey }),
    providers: new Registry("provider", [provider]),
    clock: systemClock,
    workPoolId: "pool",
    workerName: name,
    capacity,
    pollIntervalSeconds: 10,
    // One folder each, because a folder belongs to one host.
    dataDir: `${grid.dataDir}/${name}`,
    version: "0.0.0-test",
  });
}
