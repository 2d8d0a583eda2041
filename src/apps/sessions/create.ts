import { v7 as uuid } from "uuid";
import type { Core } from "../../core/app.ts";
import { ANONYMOUS, type Caller } from "../../core/caller.ts";
import { GridError } from "../../core/errors.ts";
import type { Assignment, WorkPoolManager } from "../workerpool/manager.ts";
import {
  fingerprintBody,
  type IdempotencyKey,
  type IdempotentRequest,
  keyReused,
} from "./idempotency.ts";
import type { SessionInput } from "./schemas.ts";
import { buildRow, type Session, withoutSecrets } from "./session.ts";
import type { IdempotencyRecord } from "./store/idempotency.ts";
import { findRecord, insertSession } from "./store/insert.ts";
import type { FullKeyQueue } from "./store/key_queue.ts";
import { poolProblems } from "../workerpool/problems.ts";

/** How often a pool is looked for: the one that was found may be filled or paused before the session is in it. */
const MAX_ATTEMPTS = 3;

/** What a request under a key has come to. */
export interface CreateResult {
  readonly session: Session;
  /** An earlier request has made it. */
  readonly isReplay: boolean;
}

/** How sessions come to be: accepted into the queue of their pool, or refused without a trace. */
export interface SessionCreator {
  /**
   * Two round trips.
   *
   * @throws {GridError} As {@linkcode WorkPoolManager.assign}.
   */
  create(
    input: SessionInput,
    options?: {
      readonly ephemeral?: boolean;
      /** Of an ephemeral one: how long it waits for its client to come back. */
      readonly keepAliveSeconds?: number | undefined;
      /** @default {ANONYMOUS} */
      readonly caller?: SessionCaller;
    },
  ): Promise<Session>;
  /**
   * Like `create`, but however often and at once it is called with the same key within 24 hours, there is one session.
   * Two round trips, for a repeat too.
   *
   * @throws {GridError} Also `idempotency_key_reused`. A request that was refused leaves its key free.
   */
  createOnce(
    input: SessionInput,
    request: IdempotencyKey & Omit<SessionCaller, "id">,
  ): Promise<CreateResult>;
}

/** Who asks for a session: its owner from then on. */
type SessionCaller =
  & Pick<Caller, "id">
  & Partial<Pick<Caller, "workPoolId" | "role" | "maxPriority">>;

/** What is asked for. */
interface SessionRequest {
  readonly input: SessionInput;
  readonly ephemeral: boolean;
  readonly keepAliveSeconds?: number | undefined;
  readonly caller: SessionCaller;
  readonly once?: IdempotentRequest;
}

/** Creation over pools and database. */
export function createSessionCreator(
  { clock, bus, db, secrets, settings }: Pick<
    Core,
    "clock" | "bus" | "db" | "secrets" | "settings"
  >,
  pools: Pick<WorkPoolManager, "assign">,
): SessionCreator {
  /** A pool for the session; or, if there is none now, what an earlier request was given when there was. */
  async function findPlacement(
    { input, once, caller }: SessionRequest,
  ): Promise<Placement> {
    try {
      return { assignment: await pools.assign(input, caller) };
    } catch (refusal) {
      if (!once || !(refusal instanceof GridError)) throw refusal;
      const record = await findRecord(db, once, clock.now());
      if (!record) throw refusal;
      return { record };
    }
  }

  function resolveRow(
    { input, ephemeral, keepAliveSeconds, caller }: SessionRequest,
    assignment: Assignment,
  ) {
    const { queue_timeout_seconds } = settings;
    const patience = input.queue_timeout_seconds ?? queue_timeout_seconds;
    return buildRow(input, assignment, {
      id: uuid(),
      priority: priorityFor(input.priority, assignment.pool.priority, caller),
      owner: caller.id,
      ephemeral,
      now: clock.now(),
      queueTimeoutMs: patience * 1_000,
      keepAliveSeconds: keepAliveSeconds ?? null,
    });
  }

  /** Undefined: the pool has been closed since it was found. */
  async function attempt(
    wanted: SessionRequest,
  ): Promise<CreateResult | undefined> {
    const { once } = wanted;
    const { assignment, record } = await findPlacement(wanted);
    if (!assignment) return replay(once, record);
    const row = resolveRow(wanted, assignment);
    const { isInserted, record: earlier, keyQueue } = await insertSession(
      { db, secrets },
      row,
      once,
    );
    if (!isInserted) {
      const replayed = replay(once, earlier);
      if (!replayed && keyQueue) throw keyQueueFull(keyQueue);
      return replayed;
    }
    bus.publish({
      type: "session_created",
      subject: row.id,
      work_pool_id: row.workPoolId,
    });
    return { session: withoutSecrets(row), isReplay: false };
  }

  async function accept(wanted: SessionRequest): Promise<CreateResult> {
    for (let count = 0; count < MAX_ATTEMPTS; count++) {
      const accepted = await attempt(wanted);
      if (accepted) return accepted;
    }
    throw closedAgain();
  }

  return {
    async create(
      input,
      { ephemeral = false, caller = ANONYMOUS, ...rest } = {},
    ) {
      return (await accept({ input, ephemeral, caller, ...rest })).session;
    },
    async createOnce(input, { caller: id, key, ...rest }) {
      const once = {
        caller: id,
        key,
        fingerprint: await fingerprintBody(input, secrets),
      };
      const caller = { id, ...rest };
      return await accept({ input, ephemeral: false, caller, once });
    },
  };
}

/** Where a session goes, or what it was given before. */
interface Placement {
  readonly assignment?: Assignment;
  readonly record?: IdempotencyRecord;
}

function replay(
  once: IdempotentRequest | undefined,
  record: IdempotencyRecord | undefined,
): CreateResult | undefined {
  if (!once || !record) return undefined;
  if (record.fingerprint !== once.fingerprint) throw keyReused(once);
  return { session: record.session, isReplay: true };
}

/** @throws {GridError} `forbidden` — the requested priority exceeds the limit of the caller's key. */
function priorityFor(
  asked: number | undefined,
  poolPriority: number,
  { role, maxPriority }: SessionCaller,
): number {
  const highest = maxPriority ?? (role === "client" ? poolPriority : Infinity);
  if (asked === undefined) return Math.min(poolPriority, highest);
  if (asked <= highest) return asked;
  throw new GridError(
    "forbidden",
    `Cannot create a session with priority ${asked}: the key allows at most ${highest}, expected that or less, or a key with a higher max_priority`,
    { max_priority: highest },
  );
}

function keyQueueFull({ pending, maxQueue }: FullKeyQueue): GridError {
  return new GridError(
    poolProblems.queue_full,
    `Cannot queue the session: ${pending} of this key's sessions wait, expected fewer than its max_queue of ${maxQueue} and the sessions that it could start at once`,
    { max_queue: maxQueue },
  );
}

function closedAgain(): GridError {
  return new GridError(
    poolProblems.queue_full,
    "Cannot queue the session: each work pool that was found for it has been filled or paused at the same moment, expected one that stays open; try again",
  );
}
