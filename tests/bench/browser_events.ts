import { createClient } from "../../src/client/client.ts";
import { type CdpClient, cdpClient } from "../support/cdp_client.ts";
import { eventually } from "../support/eventually.ts";
import { gaugeMemory } from "../support/memory.ts";
import { startReceiver } from "../support/webhook_receiver.ts";
import { type BenchGrid, requireBrowser, startGrid } from "./bench_grid.ts";
import { startNode } from "../support/node_process.ts";
import { defineBenchmark } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";
import { measurePageTrips } from "./page_trips.ts";
import { startLocalBrowser } from "./local_browser.ts";
import { quantile } from "./times.ts";

/** Events a second that the page raises. */
const RATE = 10_000;

/** Round trips of one measurement. */
const CALLS = 1_000;

/** Measurements of each side in a run, in turn. */
const ROUNDS = 3;

/** Logs so that the mean rate is kept, although timers are late. */
const NOISY = `<script>
  const startedAt = performance.now();
  let count = 0;
  setInterval(() => {
    const due = (performance.now() - startedAt) / 1000 * ${RATE};
    for (; count < due; count++) console.log("event", count);
  }, 5);
</script>`;

const ENV = {
  BROWSERGRID_WEBHOOK_ALLOW_HTTP: "true",
  BROWSERGRID_WEBHOOK_ALLOWED_NETWORKS: "127.0.0.1",
  // Webhooks of running sessions take effect with a heartbeat.
  BROWSERGRID_HEARTBEAT_SECONDS: "1",
};

/** A session whose page raises events without end, while a webhook that selects them is active or not. */
export const benchmark = defineBenchmark({
  title: "Webhooks for events of browsers",
  method:
    `One page of a session calls \`console.log\` ${RATE} times a second. A client evaluates \`1\` in another page of the session, while a webhook for \`cdp:Runtime.consoleAPICalled\` is active and while it is not, ${ROUNDS} times in turn in each run.`,
  figures: {
    browser_events_trip: {
      title: "round trip beside 10,000 events/s, p50",
      unit: "ratio",
      limit: "none",
      definition:
        `Median of ${ROUNDS} × ${CALLS} calls with the webhook, divided by that without it. The page logs in both cases.`,
    },
    browser_events_bare: {
      title: "the same, bare browser and socket",
      unit: "ratio",
      limit: "none",
      definition:
        "The same calls to a browser without the grid, while a socket of another process that has enabled `Runtime` in the page that logs discards the bytes, divided by those without that socket: the browser's own cost.",
    },
    browser_events_ratio: {
      title: "the first ÷ the second",
      unit: "ratio",
      limit: { atMost: 1.1 },
      definition:
        "What the grid's observer adds to a socket that reads the events and does nothing: the browser itself answers later, because it serializes each event for one more reader.",
    },
    browser_events_rate: {
      title: "events that the observer receives",
      unit: "per second",
      limit: "none",
      definition: "Events that were delivered or counted as dropped.",
    },
    browser_events_memory: {
      title: "server memory for the observer",
      unit: "MB",
      limit: { atMost: 20 },
      definition:
        "Resident memory of the server with its worker after the last measurement with the webhook and a garbage collection, less that before the first one.",
    },
  },
  async *measure() {
    await requireBrowser();
    for (let run = 0; run < MIN_RUNS; run++) {
      const measured = { ...await measureGrid(), ...await measureBare() };
      yield {
        ...measured,
        browser_events_ratio: measured.browser_events_trip /
          measured.browser_events_bare,
      };
    }
  },
});

async function measureGrid() {
  await using receiver = await startReceiver();
  await using grid = await startGrid({ env: ENV, inspect: true });
  const hook = await createHook(grid, receiver.url);
  const client = createClient({ apiUrl: grid.url });
  const { id } = await client.createSession({ max_connections: 3 }, {
    waitSeconds: 60,
  });
  await using pages = await openPages(() => client.openTarget(id));
  await measurePageTrips(pages.quiet, CALLS);
  using memory = await gaugeMemory(grid.server);
  const before = await memory.collected();
  const alone: number[] = [];
  const observed: number[] = [];
  let events = 0;
  let seconds = 0;
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(...await measurePageTrips(pages.quiet, CALLS));
    await hook.activate();
    const [count, startedAt] = [await hook.count(), performance.now()];
    observed.push(...await measurePageTrips(pages.quiet, CALLS));
    events += await hook.count() - count;
    seconds += (performance.now() - startedAt) / 1_000;
    if (round < ROUNDS - 1) await hook.deactivate();
  }
  return {
    browser_events_trip: quantile(observed, 0.5) / quantile(alone, 0.5),
    browser_events_rate: events / seconds,
    browser_events_memory: await memory.collected() - before,
  };
}

/** Creates a webhook that is not active. */
async function createHook({ url }: BenchGrid, receiver: string) {
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${url}/v1/webhooks${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new Error(await response.text());
    return await response.json();
  };
  const { id } = await call("POST", "", {
    name: "bench",
    url: receiver,
    event_pattern: "cdp:Runtime.consoleAPICalled",
    active: false,
  });
  const count = async (): Promise<number> =>
    (await call("GET", `/${id}`)).dropped_events;
  /** Resolves when the change has taken effect. */
  async function change(
    { active }: { readonly active: boolean },
  ): Promise<void> {
    await call("PATCH", `/${id}`, { active });
    let before = await count();
    await eventually("the observer has changed", async () => {
      const now = await count();
      const isObserved = now > before;
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      return isObserved === active;
    });
  }
  return {
    count,
    activate: () => change({ active: true }),
    deactivate: () => change({ active: false }),
  };
}

/** A page that logs, and a client of a page that does not. */
interface Pages extends AsyncDisposable {
  readonly noisyUrl: string;
  readonly quiet: CdpClient;
}

/** Opens two pages of one browser. */
async function openPages(
  openTarget: () => Promise<Readonly<Record<string, unknown>>>,
): Promise<Pages> {
  await using stack = new AsyncDisposableStack();
  const open = async () => String((await openTarget())["webSocketDebuggerUrl"]);
  const noisyUrl = await open();
  const noisy = stack.use(await cdpClient(noisyUrl));
  await noisy.call("Page.navigate", {
    url: `data:text/html,${encodeURIComponent(NOISY)}`,
  });
  const quiet = stack.use(await cdpClient(await open()));
  const owned = stack.move();
  return {
    noisyUrl,
    quiet,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function measureBare() {
  await using chromium = await startLocalBrowser();
  const url = `http://${chromium.endpoint.host}/json/new`;
  const reader = await Deno.readTextFile(
    new URL("discard_events.mjs", import.meta.url),
  );
  await using pages = await openPages(async () =>
    await (await fetch(url, { method: "PUT" })).json()
  );
  await measurePageTrips(pages.quiet, CALLS);
  const alone: number[] = [];
  const observed: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(...await measurePageTrips(pages.quiet, CALLS));
    await using process = await startNode(reader, [pages.noisyUrl]);
    await process.line();
    observed.push(...await measurePageTrips(pages.quiet, CALLS));
  }
  return {
    browser_events_bare: quantile(observed, 0.5) / quantile(alone, 0.5),
  };
}
