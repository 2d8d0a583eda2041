import type { GridClient } from "../../src/client/client.ts";
import { isTerminal } from "../../src/apps/sessions/status.ts";
import { systemClock } from "../../src/async/clock.ts";
import { eventually } from "../support/eventually.ts";
import { within } from "../support/within.ts";
import { connectTo } from "../support/page_mark.ts";

/** Pause of a user that was refused. */
const PAUSE_MS = 200;

/** Longest time that a user keeps a browser. */
const KEEP_MS = 300;

/** Longest wait of a user for what a grid that recovers owes to it. */
const PATIENCE_MS = 60_000;

/** Server of a load's users. */
export interface LoadOptions {
  /** Each user asks one of them, the next time the next. */
  readonly clients: readonly GridClient[];
  /** One user for each: the name of a pool. */
  readonly pools: readonly string[];
}

/** Users who ask for sessions, use them and end them, all the time. Disposal lets them finish what they have begun. */
export interface Load extends AsyncDisposable {
  /** Sessions that were answered with 201. */
  readonly accepted: ReadonlySet<string>;
  /** Sessions whose browsers answered their users. */
  served(): number;
  /** Resolves when another user of each pool, who asks from now on, has been served. */
  servedAnew(): Promise<void>;
}

/** Starts the users. */
export function startLoad({ clients, pools }: LoadOptions): Load {
  const accepted = new Set<string>();
  const stop = new AbortController();
  let asked = 0;
  let served = 0;

  async function work(pool: string): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await useSession(pool);
      } catch {
        await systemClock.sleep(PAUSE_MS);
      }
    }
  }

  /** Reports whether a new session served its user; a fault may hit it. @throws If it was not accepted. */
  async function useSession(pool: string): Promise<boolean> {
    const client = clients[asked++ % clients.length];
    if (!client) throw new TypeError("Cannot ask: there is no client");
    const isOfUse = await serve(client, pool);
    if (isOfUse) served++;
    return isOfUse;
  }

  async function serve(client: GridClient, pool: string): Promise<boolean> {
    const { id } = await client.createSession({ work_pool_id: pool });
    accepted.add(id);
    const connectUrl = await started(client, id);
    const isOfUse = connectUrl !== undefined && await use(connectUrl);
    await eventually(
      `the wish to end session ${id} is taken`,
      () => client.stopSession(id),
      { withinMs: PATIENCE_MS },
    );
    return isOfUse;
  }

  const working = pools.map(work);
  return {
    accepted,
    served: () => served,
    async servedAnew() {
      // Not the users at work: each may have to wait first for a session that the fault has delayed.
      await Promise.all(
        pools.map((pool) =>
          eventually(`${pool} serves again`, () => useSession(pool), {
            withinMs: PATIENCE_MS,
          })
        ),
      );
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      const what = "every user is done";
      await within(Promise.all(working), { what, ms: 2 * PATIENCE_MS });
    },
  };
}

/** The address of the session once it runs; undefined if it ended before. */
async function started(
  client: GridClient,
  id: string,
): Promise<string | undefined> {
  const session = await eventually(`session ${id} starts`, async () => {
    const found = await client.getSession(id);
    const isWaiting = found.status === "pending" || found.status === "starting";
    return isWaiting ? undefined : found;
  }, { withinMs: PATIENCE_MS });
  return isTerminal(session.status) ? undefined : session.connect_url;
}

/** Asks the browser something and keeps it for a while. False: a fault came between. */
async function use(connectUrl: string): Promise<boolean> {
  try {
    await using browser = await connectTo(connectUrl);
    await browser.version();
    await systemClock.sleep(Math.random() * KEEP_MS);
    return true;
  } catch {
    return false;
  }
}
