import { z } from "@hono/zod-openapi";
import {
  isTerminal,
  SESSION_STATUSES,
} from "../../src/apps/sessions/status.ts";
import { Caller } from "./caller.ts";
import type { Random } from "./random.ts";
import { Violation } from "./violation.ts";
import type { World } from "./world.ts";

const sessionSchema = z.object({
  id: z.string(),
  status: z.enum(SESSION_STATUSES),
});

type SessionSeen = z.infer<typeof sessionSchema>;

/** End of a user's session. */
const ENDS = { delete: 6, force: 1, leave: 3 } as const;

/** A user that creates a session, polls it for a while, and ends it or not. */
export class User {
  readonly #world: World;
  readonly #random: Random;
  readonly #name: string;
  readonly #pools: readonly string[];
  readonly #api: Caller;
  /** The terminal status that was seen. */
  #end: SessionSeen["status"] | undefined;

  constructor(
    world: World,
    { random, name, pools }: {
      readonly random: Random;
      readonly name: string;
      /** Names of pools to ask for. */
      readonly pools: readonly string[];
    },
  ) {
    this.#world = world;
    this.#random = random;
    this.#name = name;
    this.#pools = pools;
    this.#api = new Caller({
      process: world.clients,
      network: world.network,
      random,
    });
  }

  /** Lives until the session is ended or left alone. */
  async live(): Promise<void> {
    const created = await this.#create();
    if (!created) return;
    const { id } = created;
    this.#world.accepted.add(id);
    await this.#look(id);
    const how = this.#random.weighted(ENDS);
    if (how === "leave") return;
    const query = how === "force" ? "?force=true" : "";
    await this.#api.insist("DELETE", `/sessions/${id}${query}`);
    if (this.#random.chance(0.3)) await this.#see(id);
  }

  /** Looks now and then, and lengthens its life. */
  async #look(id: string): Promise<void> {
    const random = this.#random;
    const { clock } = this.#world.clients;
    let left = random.exponential(12_000);
    while (left > 0 && !this.#end) {
      const pause = random.between(500, 8_000);
      await clock.sleep(Math.min(pause, left));
      left -= pause;
      if (random.chance(0.1)) await this.#refresh(id);
      else if (random.chance(0.4)) await this.#see(id);
    }
  }

  async #create(): Promise<SessionSeen | undefined> {
    const random = this.#random;
    const key = random.chance(0.6) ? this.#name : undefined;
    const wait = random.chance(0.2) ? `?wait=${random.int(1, 15)}` : "";
    const headers = key === undefined ? {} : { "idempotency-key": key };
    const body = this.#wish(key);
    const answer = await this.#api.insist("POST", `/sessions${wait}`, {
      body,
      headers,
      // Without a key a repetition would be another session.
      ...(key === undefined ? { tries: 1 } : {}),
    });
    if (answer?.status !== 201 && answer?.status !== 202) return undefined;
    const session = sessionSchema.parse(answer.body);
    this.#world.trace.name(session.id, `session-${this.#name}`);
    return session;
  }

  #wish(key: string | undefined) {
    const random = this.#random;
    return {
      ...(random.chance(0.9) ? { work_pool_id: random.pick(this.#pools) } : {}),
      priority: random.int(-2, 2),
      resource_limits: {
        timeout_minutes: Math.round(random.between(0.1, 1.5) * 100) / 100,
      },
      ...(random.chance(0.3)
        ? { idle_timeout_seconds: random.int(3, 30) }
        : {}),
      labels: key === undefined ? {} : { key },
    };
  }

  async #refresh(id: string): Promise<void> {
    const minutes = Math.round(this.#random.between(0.2, 1) * 100) / 100;
    await this.#api.ask("POST", `/sessions/${id}/refresh`, {
      body: this.#random.chance(0.5) ? { timeout_minutes: minutes } : {},
    });
  }

  /** Polls the session: it must be found, and an ended one must not change. */
  async #see(id: string): Promise<void> {
    const answer = await this.#api.ask("GET", `/sessions/${id}`);
    if (answer?.status === 404) {
      throw new Violation("No accepted session is lost", `${id} is not found`);
    }
    if (answer?.status !== 200) return;
    const { status } = sessionSchema.parse(answer.body);
    if (this.#end && this.#end !== status) {
      throw new Violation(
        "A terminal status never changes",
        `${id} was ${this.#end} and is ${status}`,
      );
    }
    if (isTerminal(status)) this.#end = status;
  }
}
