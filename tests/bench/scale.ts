import { reconcileOnce } from "../../src/reconciler/reconciler.ts";
import { createApiClient } from "../support/api.ts";
import { type TestGrid, testGrid } from "../support/grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";
import { fillDatabase, toId } from "./scale_fill.ts";
import { print, quantile } from "./times.ts";

const SMALL = 1_000;
const LARGE = 1_000_000;

/** Number of calls of each kind in a run, in turn at both grids. */
const CALLS = 60;

const POOL = toId("pool", 3);
const WORKER = toId("worker", 31);
const OWNER = toId("key", 7);
const LABEL = ["team", "team-3"] as const;

/** Every call of the API, over a thousand and over a million sessions. */
export const benchmark = defineBenchmark({
  title: "The API over a million sessions",
  method: `Two grids in one process, with files of ${
    SMALL.toLocaleString("en")
  } and ${
    LARGE.toLocaleString("en")
  } sessions: 300 of them live, the others ended, of 20 pools, 200 workers and 50 owners, most with labels and all with events. Each call is made ${CALLS} times in a run, in turn at both; lists have the same number of sessions at both.`,
  figures: {
    scale_calls: {
      title: "slowest call, million ÷ thousand, p50",
      unit: "ratio",
      limit: { atMost: 1.5 },
      definition:
        "Of all calls, the largest ratio of the medians of their times.",
    },
    scale_statement: {
      title: "longest statement over a million",
      unit: "ms",
      limit: "none",
      definition:
        "Of all kinds of calls, the largest median of the time that one statement or batch holds the thread, with a list of 500.",
    },
  },
  async *measure() {
    const folder = await Deno.makeTempDir({ prefix: "browsergrid-scale-" });
    try {
      await using small = await openScene(`${folder}/small`, SMALL);
      await using large = await openScene(`${folder}/large`, LARGE);
      for (let run = 0; run < MIN_RUNS; run++) {
        yield await compare(small, large, { isLast: run === MIN_RUNS - 1 });
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** A grid with its calls. */
interface Scene extends AsyncDisposable {
  readonly calls: Readonly<Record<string, () => Promise<unknown>>>;
  /** Returns the longest time of a statement or batch since the last call. */
  takeLongest(): number;
}

async function openScene(folder: string, count: number): Promise<Scene> {
  await Deno.mkdir(folder);
  await fillDatabase(`${folder}/browsergrid.db`, count, Date.now());
  const grid = await testGrid({ dataDir: folder });
  const calls = await listCalls(grid);
  return {
    calls,
    takeLongest: watchStatements(grid),
    [Symbol.asyncDispose]: () => grid[Symbol.asyncDispose](),
  };
}

/** Measures each call at both grids. */
async function compare(
  small: Scene,
  large: Scene,
  { isLast }: { readonly isLast: boolean },
): Promise<Readonly<Record<"scale_calls" | "scale_statement", number>>> {
  const ratios = new Map<string, number>();
  const statements = new Map<string, number>();
  for (const name of Object.keys(large.calls)) {
    const times: Record<"small" | "large", number[]> = { small: [], large: [] };
    const held: number[] = [];
    for (const { calls } of [small, large]) await time(calls[name]);
    for (let call = 0; call < CALLS; call++) {
      times.small.push(await time(small.calls[name]));
      large.takeLongest();
      times.large.push(await time(large.calls[name]));
      held.push(large.takeLongest());
    }
    const [from, to] = [median(times.small), median(times.large)];
    // A list of 500 has fewer sessions at the small grid.
    if (!name.includes("limit=500")) ratios.set(name, to / from);
    statements.set(name, median(held));
    if (isLast) {
      print(
        `${name.padEnd(70)} ${from.toFixed(2)} ${to.toFixed(2)} ms, ${
          (to / from).toFixed(2)
        }; statement ${median(held).toFixed(2)} ms`,
      );
    }
  }
  printWorst("ratio", ratios);
  printWorst("statement", statements);
  return {
    scale_calls: Math.max(...ratios.values()),
    scale_statement: Math.max(...statements.values()),
  };
}

async function time(act: (() => Promise<unknown>) | undefined) {
  const startedAt = performance.now();
  await act?.();
  return performance.now() - startedAt;
}

function median(times: readonly number[]): number {
  return quantile(times, 0.5);
}

function printWorst(kind: string, values: ReadonlyMap<string, number>): void {
  const [worst] = [...values].sort(([, a], [, b]) => b - a);
  if (worst) print(`largest ${kind}: ${worst[1].toFixed(2)}, ${worst[0]}`);
}

/** Measures the statements and batches of a grid: they run on the thread that copies streams. */
function watchStatements({ core: { db: { client } } }: TestGrid): () => number {
  let longest = 0;
  const batch = client.batch.bind(client);
  client.batch = async (...given) => {
    const startedAt = performance.now();
    const results = await batch(...given);
    longest = Math.max(longest, performance.now() - startedAt);
    return results;
  };
  const execute = client.execute.bind(client);
  client.execute = async (given: Parameters<typeof execute>[0]) => {
    const startedAt = performance.now();
    const result = await execute(given);
    longest = Math.max(longest, performance.now() - startedAt);
    return result;
  };
  return function takeLongest() {
    const taken = longest;
    longest = 0;
    return taken;
  };
}

async function listCalls(
  grid: TestGrid,
): Promise<Readonly<Record<string, () => Promise<unknown>>>> {
  const api = createApiClient(grid);
  const read = (path: string) => [
    `GET ${path.replaceAll(/[0-9a-f-]{36}/g, "ID")}`,
    async () => {
      const { status, text } = await api.call("GET", path);
      if (status !== 200) throw new Error(`${path}: ${text}`);
    },
  ];
  // A session of the API, beside those of the file.
  const { id } = await api.session({ work_pool_id: POOL });
  await api.call("DELETE", `/sessions/${id}`);
  const worker = await api.worker({ work_pool_id: POOL });
  const fields = { labels: { team: "team-3" }, work_pool_id: POOL };
  const owned = grid.sessions.forOwner(OWNER);
  return {
    ...Object.fromEntries([
      ...listQueries().map(read),
      ...[
        `/sessions/${id}`,
        `/sessions/${id}?include=events,metrics`,
        `/sessions/${id}/events`,
        `/sessions/${id}/metrics`,
        `/sessions/${id}/logs`,
        "/workerpool/pools",
        `/workerpool/pools/${POOL}`,
        `/workerpool/pools/${POOL}/pressure`,
        "/workerpool/workers?limit=50",
        `/workerpool/workers?work_pool_id=${POOL}&status=online`,
        `/workerpool/workers/${WORKER}`,
        "/keys",
      ].map(read),
    ]),
    "list of an owner": () => owned.list({ limit: 5 }),
    "list of an owner by label": () => owned.list({ limit: 1, label: LABEL }),
    "list of an owner by pool": () =>
      owned.list({ limit: 1, work_pool_id: POOL }),
    "POST and DELETE /sessions": async () => {
      const created = await api.session(fields);
      await api.call("DELETE", `/sessions/${created.id}`);
    },
    "POST, claim, heartbeat, refresh, end": async () => {
      const created = await api.session({ ...fields, priority: 9 });
      const claimed = await api.claim(worker);
      if (!claimed || claimed.id !== created.id) {
        throw new Error("another session was claimed");
      }
      const endpoint = "ws://127.0.0.1:9/devtools/browser/x";
      await api.report(worker, claimed, "running", { endpoint });
      await api.call("POST", `/sessions/${created.id}/refresh`);
      await api.report(worker, claimed, "completed");
    },
    "pass of the reconciler": () => reconcileOnce(grid),
  };
}

/** Returns the lists by each filter, and by several. Lists by two filters are short, because few sessions meet both. */
function listQueries(): readonly string[] {
  const queries: readonly (readonly [limit: number, string])[] = [
    [50, ""],
    [50, "status=completed"],
    [50, "status=running"],
    [50, "status=pending,starting,running"],
    [5, `work_pool_id=${POOL}`],
    [5, `work_pool_id=${POOL}&status=running`],
    [5, `work_pool_id=${POOL}&status=completed,failed`],
    [4, `worker_id=${WORKER}`],
    [2, `worker_id=${WORKER}&status=completed`],
    [5, `label=${LABEL.join("=")}`],
    [1, `label=${LABEL.join("=")}&status=completed`],
    [1, `label=${LABEL.join("=")}&status=running`],
    [1, `label=${LABEL.join("=")}&work_pool_id=${POOL}`],
    [500, ""],
    [500, `label=${LABEL.join("=")}`],
    [500, `label=${LABEL.join("=")}&work_pool_id=${POOL}`],
    [500, `label=${LABEL.join("=")}&worker_id=${WORKER}&status=failed`],
  ];
  return queries.map(([limit, query]) => `/sessions?${query}&limit=${limit}`);
}
