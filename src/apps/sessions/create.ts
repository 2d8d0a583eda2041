import { uuidv7 } from "uuidv7";
import type { Core } from "../../core/app.ts";
import { ANONYMOUS, type Caller } from "../../core/caller.ts";
import { noteTrace } from "../../core/log.ts";
import { GridError } from "../../core/errors.ts";
import {
  renderTraceparent,
  type TraceContext,
} from "../../core/trace/trace_context.ts";
import { withSpans } from "./change_publisher.ts";
import type { Assignment, WorkPoolManager } from "../workerpool/manager.ts";
import { poolProblems } from "../workerpool/problems.ts";
import {
  fingerprintBody,
  type IdempotencyKey,
  type IdempotentRequest,
  keyReused,
} from "./idempotency.ts";
import type { SessionInput } from "./schemas.ts";
import { type Session, type SessionRow } from "./session.ts";
import { buildRow, withoutSecrets } from "./new_session.ts";
import type { IdempotencyRecord } from "./store/queue/idempotency.ts";
import { findRecord, insertSession } from "./store/queue/insert.ts";
import type { FullKeyQueue } from "./store/queue/key_queue.ts";

/** Maximum number of assignments: an assigned pool may become full or paused before the session is inserted. */
const MAX_ATTEMPTS = 3;

/** The result of a request with an idempotency key. */
export interface CreateResult {
  readonly session: Session;
  /** True if an earlier request created the session. */
  readonly isReplay: boolean;
}

/** The caller that creates a session, and owns it. */
export type SessionCaller =
  & Pick<Caller, "id">
  & Partial<Pick<Caller, "workPoolId" | "role" | "maxPriority">>;

/** Options of {@linkcode SessionCreator.create}. */
export interface CreateOptions {
  /** The session ends with its client's socket. @default {false} */
  readonly ephemeral?: boolean;
  /** For an ephemeral session, how long it waits for its client to reconnect. */
  readonly keepAliveSeconds?: number | undefined;
  /** @default {ANONYMOUS} */
  readonly caller?: SessionCaller;
  /** Trace of the request. */
  readonly trace?: TraceContext | undefined;
}

/** Options of {@linkcode SessionCreator.createOnce}: the key, and the caller without its id. */
export type CreateOnceOptions =
  & IdempotencyKey
  & Omit<SessionCaller, "id">
  & Pick<CreateOptions, "trace">;

/** A request for a session. */
interface SessionRequest {
  readonly input: SessionInput;
  readonly ephemeral: boolean;
  readonly keepAliveSeconds?: number | undefined;
  readonly caller: SessionCaller;
  readonly trace?: TraceContext | undefined;
  readonly once?: IdempotentRequest;
}

/** Either the assigned pool, or the record of an earlier request with the same key. */
interface Placement {
  readonly assignment?: Assignment;
  readonly record?: IdempotencyRecord;
}

/** Core parts of a {@linkcode SessionCreator}. */
type CreatorCore = Pick<
  Core,
  "clock" | "bus" | "db" | "secrets" | "settings" | "tracer"
>;

/** Creates sessions in the queue of their pool. */
export class SessionCreator {
  readonly #core: CreatorCore;
  readonly #pools: Pick<WorkPoolManager, "assign">;

  constructor(core: CreatorCore, pools: Pick<WorkPoolManager, "assign">) {
    this.#core = core;
    this.#pools = pools;
  }

  /**
   * Creates a session. Two round trips.
   *
   * @throws {GridError} As {@linkcode WorkPoolManager.assign}; `forbidden` - the priority exceeds the limit of the key;
   * `queue_full`.
   */
  async create(
    input: SessionInput,
    { ephemeral = false, caller = ANONYMOUS, ...rest }: CreateOptions = {},
  ): Promise<Session> {
    return (await this.#accept({ input, ephemeral, caller, ...rest })).session;
  }

  /**
   * Creates one session for all calls with the same key within 24 hours, also for concurrent calls. Two round trips, for
   * a repeated request too.
   *
   * @throws {GridError} As `create`, and `idempotency_key_reused`. A rejected request leaves its key unused.
   */
  async createOnce(
    input: SessionInput,
    { caller: id, key, trace, ...rest }: CreateOnceOptions,
  ): Promise<CreateResult> {
    const fingerprint = await fingerprintBody(input, this.#core.secrets);
    const once = { caller: id, key, fingerprint };
    const caller = { id, ...rest };
    return await this.#accept({ input, ephemeral: false, caller, trace, once });
  }

  async #accept(request: SessionRequest): Promise<CreateResult> {
    for (let count = 0; count < MAX_ATTEMPTS; count++) {
      const accepted = await this.#attempt(request);
      if (accepted) return accepted;
    }
    throw poolsClosed();
  }

  /** Returns undefined if the assigned pool became full, paused or deleted. */
  async #attempt(request: SessionRequest): Promise<CreateResult | undefined> {
    const { bus, clock, db, secrets, tracer } = this.#core;
    const { once } = request;
    const startAt = clock.now();
    const placement = await this.#findPlacement(request);
    if (!placement.assignment) return replay(once, placement.record);
    const trace = tracer?.begin(request.trace) ?? request.trace;
    const row = this.#resolveRow(request, placement.assignment, trace);
    const insertion = await insertSession({ db, secrets }, row, once);
    const { isInserted, record, keyQueue } = insertion;
    if (!isInserted) {
      const replayed = replay(once, record);
      if (!replayed && keyQueue) throw keyQueueFull(keyQueue);
      return replayed;
    }
    noteTrace(row.id, row.traceparent);
    if (tracer && trace) {
      const endAt = clock.now();
      const context = { trace, parent: request.trace, startAt, endAt };
      withSpans(({ recordCreation }) => recordCreation(tracer, row, context));
    }
    bus.publish({
      type: "session_created",
      subject: row.id,
      work_pool_id: row.workPoolId,
    });
    return { session: withoutSecrets(row), isReplay: false };
  }

  async #findPlacement(
    { input, once, caller }: SessionRequest,
  ): Promise<Placement> {
    try {
      return { assignment: await this.#pools.assign(input, caller) };
    } catch (error) {
      if (!once || !(error instanceof GridError)) throw error;
      const { clock, db } = this.#core;
      const record = await findRecord(db, once, clock.now());
      if (!record) throw error;
      return { record };
    }
  }

  #resolveRow(
    { input, ephemeral, keepAliveSeconds, caller }: SessionRequest,
    assignment: Assignment,
    trace: TraceContext | undefined,
  ): SessionRow {
    const { clock, settings } = this.#core;
    const queueTimeoutSeconds = input.queue_timeout_seconds ??
      settings.queue_timeout_seconds;
    return buildRow(input, assignment, {
      id: uuidv7(),
      priority: resolvePriority(
        input.priority,
        assignment.pool.priority,
        caller,
      ),
      owner: caller.id,
      ephemeral,
      now: clock.now(),
      queueTimeoutMs: queueTimeoutSeconds * 1_000,
      keepAliveSeconds: keepAliveSeconds ?? null,
      traceparent: trace ? renderTraceparent(trace) : null,
    });
  }
}

function replay(
  once: IdempotentRequest | undefined,
  record: IdempotencyRecord | undefined,
): CreateResult | undefined {
  if (!once || !record) return undefined;
  if (record.fingerprint !== once.fingerprint) throw keyReused(once);
  return { session: record.session, isReplay: true };
}

/** @throws {GridError} `forbidden` - the requested priority exceeds the limit of the caller's key. */
function resolvePriority(
  requested: number | undefined,
  poolPriority: number,
  { role, maxPriority }: SessionCaller,
): number {
  const highest = maxPriority ?? (role === "client" ? poolPriority : Infinity);
  if (requested === undefined) return Math.min(poolPriority, highest);
  if (requested <= highest) return requested;
  throw new GridError(
    "forbidden",
    `Cannot create a session with priority ${requested}: the key allows at most ${highest}, expected that or less, or a key with a higher max_priority`,
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

function poolsClosed(): GridError {
  return new GridError(
    poolProblems.queue_full,
    `Cannot queue the session: ${MAX_ATTEMPTS} work pools in a row became full or paused before it was queued, expected one that stays open; try again`,
  );
}
