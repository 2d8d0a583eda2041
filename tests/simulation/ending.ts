import { z } from "@hono/zod-openapi";
import { isTerminal } from "../../src/apps/sessions/status.ts";
import { Caller } from "./caller.ts";
import type { Random } from "./random.ts";
import { Violation } from "./violation.ts";
import { POOLS } from "./pools.ts";
import type { World } from "./world.ts";

/** Longest time until every session has ended, once the faults are over and all are asked to end. */
const ENDED_MS = 90_000;

/** Longest time until nothing is left of them. */
const CLEAN_MS = 30_000;

/** Longest time until every pool serves again. */
const SERVED_MS = 60_000;

const MOST_TRIES = 10;

const SERVES = "Every pool serves when the faults are over";

const madeSchema = z.object({ id: z.string() });

/** Rules after the last fault: every session ends, nothing is left, and the grid serves as before. */
export class Ending {
  readonly #world: World;
  readonly #api: Caller;

  constructor(world: World, random: Random) {
    this.#world = world;
    const { clients: process, network } = world;
    this.#api = new Caller({ process, network, random });
  }

  /** Resolves with the milliseconds that it took until all was clean. */
  async run(): Promise<number> {
    const begun = this.#world.scheduler.now;
    for (const { machine } of this.#world.workers) machine.habits.failures = 0;
    await Promise.all(this.#live().map((id) => this.#end(id)));
    await this.#until(ENDED_MS, "Every session ends on request", () => {
      const live = this.#live();
      return live.length === 0 ? undefined : this.#describe(live);
    });
    await this.#until(CLEAN_MS, "Nothing outlives its session", () => {
      const left = this.#browsers();
      return left.length === 0 ? undefined : left.join(", ");
    });
    const cleanAfterMs = this.#world.scheduler.now - begun;
    await Promise.all(POOLS.map(({ name }) => this.#probe(name)));
    await this.#lookAtAll();
    return cleanAfterMs;
  }

  /** Every pool starts a session, and ends it. */
  async #probe(pool: string): Promise<void> {
    const id = await this.#ask(pool);
    this.#world.trace.name(id, `probe-of-${pool}`);
    await this.#until(
      SERVED_MS,
      SERVES,
      () => {
        const status = this.#world.ledger.sessions.get(id)?.status;
        return status === "running" ? undefined : `${id} is ${status}`;
      },
    );
    await this.#end(id);
    await this.#until(ENDED_MS, "Every session ends on request", () => {
      const status = this.#world.ledger.sessions.get(id)?.status;
      return status && isTerminal(status) ? undefined : `${id} is ${status}`;
    });
  }

  /** Asks for a session until it is given one: what pauses the pool is undone just now. */
  async #ask(pool: string): Promise<string> {
    for (let tries = 1;; tries++) {
      const created = await this.#api.insist("POST", "/sessions", {
        body: { work_pool_id: pool },
      });
      if (created?.status === 201) return madeSchema.parse(created.body).id;
      if (tries === MOST_TRIES) {
        throw new Violation(SERVES, `${pool}: ${JSON.stringify(created)}`);
      }
      await this.#world.clients.clock.sleep(SERVED_MS / MOST_TRIES);
      // An order that came twice, and late, may have closed it again.
      await this.#api.insist("POST", `/workerpool/pools/${pool}/resume`);
    }
  }

  async #end(id: string): Promise<void> {
    await this.#api.insist("DELETE", `/sessions/${id}`);
  }

  /** The ledger equals the table, and every client finds its sessions. */
  async #lookAtAll(): Promise<void> {
    const { ledger, accepted } = this.#world;
    const rows = await ledger.rows();
    const there = new Set(rows.map(({ id }) => id));
    const lost = [...accepted].filter((id) => !there.has(id));
    if (lost.length > 0) {
      throw new Violation("No accepted session is lost", lost.join(", "));
    }
    for (const row of rows) {
      const entry = ledger.sessions.get(row.id);
      if (JSON.stringify(entry) === JSON.stringify(row)) continue;
      throw new Violation("The books agree with the table", row.id);
    }
  }

  async #until(
    patienceMs: number,
    rule: string,
    problem: () => string | undefined,
  ): Promise<void> {
    const { clients: { clock } } = this.#world;
    const deadline = clock.monotonic() + patienceMs;
    for (let found = problem(); found !== undefined; found = problem()) {
      if (clock.monotonic() > deadline) {
        throw new Violation(rule, `after ${patienceMs} ms: ${found}`);
      }
      await clock.sleep(250);
    }
  }

  #live(): readonly string[] {
    return [...this.#world.ledger.sessions.values()].filter(({ status }) =>
      !isTerminal(status)
    ).map(({ id }) => id);
  }

  #browsers(): readonly string[] {
    return this.#world.workers.flatMap(({ machine }) =>
      [...machine.browsers].map(({ sessionId, phase }) =>
        `a browser of ${sessionId} is ${phase} on ${machine.name}`
      )
    );
  }

  #describe(ids: readonly string[]): string {
    return ids.map((id) => {
      const entry = this.#world.ledger.sessions.get(id);
      return `${id} is ${entry?.status} with ${entry?.worker_id}`;
    }).join(", ");
  }
}
