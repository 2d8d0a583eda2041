import {
  and,
  desc,
  eq,
  getTableColumns,
  isNull,
  lt,
  type SQL,
  sql,
} from "drizzle-orm";
import type { Database } from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { sessions } from "../../sessions/models.ts";
import { workPools } from "../../workerpool/models.ts";
import { webhooks } from "../models.ts";
import type { Webhook, WebhookRow } from "../webhook.ts";

/** Maximum number of webhooks, each of which every event is compared with. */
export const MAX_WEBHOOKS = 500;

/** Maximum number of webhooks of one client key. */
export const MAX_CLIENT_WEBHOOKS = 20;

/** A webhook by id. With `owner` only one of that client. */
export interface WebhookRef {
  readonly id: string;
  readonly owner: string | undefined;
}

/** Columns to change. An undefined one stays unchanged. */
export type WebhookChanges = {
  readonly [K in keyof WebhookRow]?: WebhookRow[K] | undefined;
};

/** Selects webhooks to list, newest first. */
export interface WebhookListOptions {
  readonly limit: number;
  /** Id of the last webhook of the previous page. */
  readonly cursor?: string | undefined;
  readonly owner: string | undefined;
}

/** A session and a work pool by which a new webhook selects events. */
export interface Scope {
  readonly sessionId: string | null;
  /** Id or name of a work pool. */
  readonly workPool: string | null;
  readonly owner: string | undefined;
}

/** The stored subjects of a {@linkcode Scope}. */
export interface FoundScope {
  /** Id of the work pool. */
  readonly workPoolId: string | undefined;
  readonly hasSession: boolean;
}

const {
  secret: _,
  previousSecret: __,
  deletedAt: ___,
  longQueues: ____,
  ...publicColumns
} = getTableColumns(webhooks);

/** Queries of webhooks for requests. Each method is one round trip; none selects secrets. */
export class WebhookStore {
  readonly #orm: Database["orm"];

  constructor({ orm }: Database) {
    this.#orm = orm;
  }

  async findScope(
    { sessionId, workPool, owner }: Scope,
  ): Promise<FoundScope> {
    const { pools, found } = await batchNamed(this.#orm, {
      pools: this.#orm.select({ id: workPools.id }).from(workPools).where(
        sql`${workPools.id} = ${workPool} OR ${workPools.name} = ${workPool}`,
      ),
      found: this.#orm.select({ id: sessions.id }).from(sessions).where(and(
        eq(sessions.id, sessionId ?? ""),
        owner === undefined ? undefined : eq(sessions.owner, owner),
      )),
    });
    return { workPoolId: pools.at(0)?.id, hasSession: found.length > 0 };
  }

  /** Inserts a webhook. Returns undefined if there are too many. */
  async insert(row: WebhookRow): Promise<Webhook | undefined> {
    const values: Readonly<Record<string, unknown>> = row;
    const cells = Object.entries(getTableColumns(webhooks)).map((
      [name, column],
    ) => sql`${sql.param(values[name] ?? null, column)}`);
    const count = (condition: SQL) =>
      sql`(SELECT count(*) FROM ${webhooks} WHERE ${condition})`;
    const ofOwner = row.owner === null
      ? sql`1`
      : sql`${count(sql`owner = ${row.owner} AND deleted_at IS NULL`)}
        < ${MAX_CLIENT_WEBHOOKS}`;
    const [inserted] = await this.#orm.insert(webhooks).select(
      sql`SELECT ${sql.join(cells, sql`, `)} WHERE ${ofOwner}
        AND ${count(sql`deleted_at IS NULL`)} < ${MAX_WEBHOOKS}`,
    ).returning(publicColumns);
    return inserted;
  }

  async find(ref: WebhookRef): Promise<Webhook | undefined> {
    const [row] = await this.#orm.select(publicColumns).from(webhooks).where(
      isOne(ref),
    );
    return row;
  }

  async list(
    { limit, cursor, owner }: WebhookListOptions,
  ): Promise<readonly Webhook[]> {
    return await this.#orm.select(publicColumns).from(webhooks).where(and(
      isNull(webhooks.deletedAt),
      owner === undefined ? undefined : eq(webhooks.owner, owner),
      cursor === undefined ? undefined : lt(webhooks.id, cursor),
    )).orderBy(desc(webhooks.id)).limit(limit);
  }

  async update(
    ref: WebhookRef,
    changes: WebhookChanges,
  ): Promise<Webhook | undefined> {
    const [row] = await this.#orm.update(webhooks).set(changes).where(
      isOne(ref),
    ).returning(publicColumns);
    return row;
  }

  /** Sets a new secret. The one before it is valid until `until`. */
  async rotate(
    ref: WebhookRef,
    { secret, until, now }: {
      readonly secret: string;
      readonly until: number;
      readonly now: number;
    },
  ): Promise<Webhook | undefined> {
    const [row] = await this.#orm.update(webhooks).set({
      secret,
      previousSecret: sql`${webhooks.secret}`,
      previousSecretUntil: until,
      updatedAt: now,
    }).where(isOne(ref)).returning(publicColumns);
    return row;
  }

  /** Marks a webhook as deleted. The reconciler deletes its deliveries. Returns false if there is none. */
  async remove(ref: WebhookRef, now: number): Promise<boolean> {
    const rows = await this.#orm.update(webhooks).set({
      active: false,
      deletedAt: now,
      headers: {},
      secret: "",
      previousSecret: null,
    }).where(isOne(ref)).returning({ id: webhooks.id });
    return rows.length > 0;
  }
}

/** Returns the condition that a webhook is the one of `ref`. */
export function isOne({ id, owner }: WebhookRef): SQL | undefined {
  return and(
    eq(webhooks.id, id),
    isNull(webhooks.deletedAt),
    owner === undefined ? undefined : eq(webhooks.owner, owner),
  );
}
