import { uuidv7 } from "uuidv7";
import { isUuid } from "../../core/text.ts";
import { nextTurn } from "../../async/next_turn.ts";
import type { Core } from "../../core/app.ts";
import { GridError } from "../../core/errors.ts";
import { type ListPage, toListPage } from "../../http/page.ts";
import { toColumns } from "../../http/wire_form.ts";
import { sessionProblems } from "../sessions/problems.ts";
import { poolProblems } from "../workerpool/problems.ts";
import { WEBHOOK_CHANGED } from "./start_when_used.ts";
import { findUrlFault } from "./delivery/target.ts";
import { rejected, requireSelection, type Selection } from "./event_pattern.ts";
import { webhookProblems } from "./problems.ts";
import type {
  NewWebhookWire,
  WebhookInput,
  WebhookPatch,
  WebhookWire,
} from "./schemas.ts";
import { newSecret, type WebhookSecrets } from "./secrets.ts";
import { pruneDeliveries } from "./store/prune.ts";
import { TEMPLATES } from "./templates.ts";
import {
  MAX_CLIENT_WEBHOOKS,
  MAX_WEBHOOKS,
  type WebhookListOptions,
  type WebhookRef,
  WebhookStore,
} from "./store/webhooks.ts";
import { renderWebhook, type Webhook } from "./webhook.ts";

/** Minimum time between two passes that delete old deliveries. */
const PRUNE_INTERVAL_MS = 60_000;

/** Longest time of one such pass. */
const MAX_PRUNE_MS = 1_000;

/** Dependencies of a {@linkcode WebhookManager}. */
type WebhookCore = Pick<
  Core,
  "clock" | "db" | "bus" | "settings" | "eventTypes"
>;

/** Webhooks, and the retention of their deliveries. With `owner` only those of that client. */
export class WebhookManager {
  readonly #core: WebhookCore;
  readonly #store: WebhookStore;
  readonly #secrets: WebhookSecrets;
  #prunedAt = -Infinity;

  constructor(core: WebhookCore, secrets: WebhookSecrets) {
    this.#core = core;
    this.#store = new WebhookStore(core.db);
    this.#secrets = secrets;
  }

  /**
   * Creates a webhook. Only this response contains its secret.
   *
   * @throws {GridError} `webhook_events_rejected`, `webhook_target_rejected`, `session_not_found`, `pool_not_found`,
   * `webhook_limit`, `invalid_request` - no type matches the pattern.
   */
  async create(
    body: WebhookInput,
    owner: string | undefined,
  ): Promise<NewWebhookWire> {
    const { template: _, ...input } = { ...body, ...resolveTemplate(body) };
    requireSelection(input, this.#core.eventTypes);
    this.#checkUrl(input.url);
    const workPoolId = await this.#resolveScope(input, owner);
    const id = uuidv7();
    const secret = newSecret();
    const now = this.#core.clock.now();
    const row = await this.#store.insert({
      ...toColumns(input),
      id,
      owner: owner ?? null,
      workPoolId,
      headers: await this.#secrets.sealHeaders(input.headers, id),
      secret: await this.#secrets.sealSecret(secret, id),
      previousSecret: null,
      previousSecretUntil: null,
      inactiveReason: input.active ? null : "requested",
      failingSince: null,
      failures: 0,
      droppedEvents: 0,
      longQueues: [],
      createdAt: now,
      updatedAt: now,
      deletedAt: null,
    });
    if (!row) throw tooMany(owner);
    this.#publish(id);
    return { ...renderWebhook(row, now), secret };
  }

  /** Returns a webhook. @throws {GridError} `webhook_not_found`. */
  async get(ref: WebhookRef): Promise<WebhookWire> {
    return this.#render(ref, await this.#store.find(requireId(ref)));
  }

  /** Lists webhooks, newest first. */
  async list(options: WebhookListOptions): Promise<ListPage<WebhookWire>> {
    const rows = await this.#store.list(options);
    const { items, ...rest } = toListPage(rows, options.limit);
    const now = this.#core.clock.now();
    return { items: items.map((row) => renderWebhook(row, now)), ...rest };
  }

  /**
   * Changes fields of a webhook. One that becomes active has no failures.
   *
   * @throws {GridError} `webhook_not_found`, and those of {@linkcode create}.
   */
  async update(ref: WebhookRef, patch: WebhookPatch): Promise<WebhookWire> {
    this.#checkUrl(patch.url);
    await this.#checkSelection(ref, patch);
    const { headers, active, ...fields } = patch;
    const row = await this.#store.update(requireId(ref), {
      ...toColumns(fields),
      ...(headers
        ? { headers: await this.#secrets.sealHeaders(headers, ref.id) }
        : {}),
      ...(active === undefined ? {} : {
        active,
        inactiveReason: active ? null : "requested",
        failingSince: null,
        failures: 0,
      }),
      updatedAt: this.#core.clock.now(),
    });
    this.#publish(ref.id);
    return this.#render(ref, row);
  }

  /**
   * Replaces the secret. For `overlapSeconds`, requests have a signature with each of the two.
   *
   * @throws {GridError} `webhook_not_found`.
   */
  async rotateSecret(
    ref: WebhookRef,
    overlapSeconds: number,
  ): Promise<NewWebhookWire> {
    const secret = newSecret();
    const now = this.#core.clock.now();
    const row = await this.#store.rotate(requireId(ref), {
      secret: await this.#secrets.sealSecret(secret, ref.id),
      until: now + overlapSeconds * 1_000,
      now,
    });
    return { ...this.#render(ref, row), secret };
  }

  /** Deletes a webhook and, in the background, its deliveries. @throws {GridError} `webhook_not_found`. */
  async remove(ref: WebhookRef): Promise<void> {
    const now = this.#core.clock.now();
    if (!await this.#store.remove(requireId(ref), now)) {
      throw webhookNotFound(ref.id);
    }
    this.#publish(ref.id);
  }

  /**
   * Deletes deliveries that ended before the retention time of events, and those of deleted webhooks, in steps of some
   * milliseconds. What is left after a second is deleted in the next pass. Returns their number. For the reconciler.
   */
  async prune(): Promise<number> {
    const { clock, db, settings } = this.#core;
    const startedAt = clock.monotonic();
    if (startedAt - this.#prunedAt < PRUNE_INTERVAL_MS) return 0;
    const now = clock.now();
    const before = now - settings.event_retention_days * 24 * 3_600_000;
    for (let total = 0;;) {
      const { pruned, hasMore } = await pruneDeliveries(db, { before, now });
      total += pruned;
      if (!hasMore) this.#prunedAt = startedAt;
      const isOver = clock.monotonic() >= startedAt + MAX_PRUNE_MS;
      if (!hasMore || isOver) return total;
      await nextTurn();
    }
  }

  /** Checks changes of the selection together with the stored fields, which are one round trip. */
  async #checkSelection(
    ref: WebhookRef,
    { event_pattern, filters, queue_longer_than }: WebhookPatch,
  ): Promise<void> {
    const changed = [event_pattern, filters, queue_longer_than];
    if (changed.every((each) => each === undefined)) return;
    const stored = await this.#store.find(requireId(ref));
    if (!stored) throw webhookNotFound(ref.id);
    requireSelection({
      event_pattern: event_pattern ?? stored.eventPattern,
      filters: filters ?? stored.filters,
      queue_longer_than: queue_longer_than === undefined
        ? stored.queueLongerThan
        : queue_longer_than,
    }, this.#core.eventTypes);
  }

  #checkUrl(url: string | undefined): void {
    const { settings } = this.#core;
    const fault = url === undefined
      ? undefined
      : findUrlFault(new URL(url), settings);
    if (fault === undefined) return;
    throw new GridError(
      webhookProblems.webhook_target_rejected,
      `Cannot send webhooks to the URL: ${fault}`,
    );
  }

  /** Returns the id of the work pool of the scope. One round trip, or none without a scope. */
  async #resolveScope(
    { session_id, work_pool_id }: Pick<
      WebhookInput,
      "session_id" | "work_pool_id"
    >,
    owner: string | undefined,
  ): Promise<string | null> {
    if (session_id === null && work_pool_id === null) return null;
    const { workPoolId, hasSession } = await this.#store.findScope({
      sessionId: session_id,
      workPool: work_pool_id,
      owner,
    });
    if (session_id !== null && !hasSession) {
      throw new GridError(
        sessionProblems.session_not_found,
        `Cannot find session "${session_id}": there is none with this id, expected one of GET /v1/sessions`,
      );
    }
    if (work_pool_id !== null && workPoolId === undefined) {
      throw new GridError(
        poolProblems.pool_not_found,
        `Cannot find work pool "${work_pool_id}": no pool has this id or name, expected one of GET /v1/workerpool/pools`,
      );
    }
    return workPoolId ?? null;
  }

  #render({ id }: WebhookRef, row: Webhook | undefined): WebhookWire {
    if (!row) throw webhookNotFound(id);
    return renderWebhook(row, this.#core.clock.now());
  }

  #publish(id: string): void {
    this.#core.bus.publish({ type: WEBHOOK_CHANGED, subject: id });
  }
}

/** Returns the selection of a new webhook, which its template may determine. */
function resolveTemplate(
  { template, event_pattern, filters, queue_longer_than }: WebhookInput,
): Selection {
  if ((template === undefined) === (event_pattern === undefined)) {
    throw rejected(
      template === undefined
        ? "it has no event_pattern, expected one, or a template"
        : "it has both event_pattern and template, expected one of them",
    );
  }
  const chosen = template && TEMPLATES[template];
  return {
    event_pattern: chosen?.event_pattern ?? event_pattern ?? "",
    filters: [...chosen?.filters ?? [], ...filters],
    queue_longer_than,
  };
}

/** Returns `ref`. @throws {GridError} `webhook_not_found` - its id has not the form of one. */
export function requireId(ref: WebhookRef): WebhookRef {
  if (!isUuid(ref.id)) throw webhookNotFound(ref.id);
  return ref;
}

/** Creates the error for a webhook that does not exist, or belongs to another owner. */
export function webhookNotFound(id: string): GridError {
  return new GridError(
    webhookProblems.webhook_not_found,
    `Cannot find webhook "${id}": there is none with this id, expected one of GET /v1/webhooks`,
  );
}

function tooMany(owner: string | undefined): GridError {
  const most = owner === undefined ? MAX_WEBHOOKS : MAX_CLIENT_WEBHOOKS;
  return new GridError(
    webhookProblems.webhook_limit,
    `Cannot create the webhook: there are too many, expected at most ${most}${
      owner === undefined ? "" : ` of one key and ${MAX_WEBHOOKS} in all`
    }; delete one first`,
  );
}
