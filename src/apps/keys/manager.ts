import type { SQL } from "drizzle-orm";
import { uuidv7 } from "uuidv7";
import type { Clock } from "../../async/clock.ts";
import type { Core } from "../../core/app.ts";
import type { Database } from "../../core/database.ts";
import { GridError } from "../../core/errors.ts";
import { isLoopback } from "../../core/network.ts";
import {
  hashText,
  newKey,
  parseKeyPrefix,
  redactKeys,
} from "../../core/redact.ts";
import { isConstraintError } from "../../db/client.ts";
import { type ListPage, toListPage } from "../../http/page.ts";
import { type KeyRow, renderKey } from "./key.ts";
import type { KeyCache } from "./key_cache.ts";
import type { KeyInput, KeyWire, NewKeyWire } from "./schemas.ts";
import { poolProblems } from "../workerpool/problems.ts";
import { keyProblems } from "./problems.ts";
import { type KeyListOptions, KeyStore } from "./store/keys.ts";

/** Maximum number of keys that are generated for one request, in case a prefix is taken. */
const MAX_ATTEMPTS = 3;

const DAY_MS = 86_400_000;

/** The key of a worker that the server starts. */
export interface WorkerKey {
  readonly id: string;
  /** The key itself, made by {@linkcode newKey}. */
  readonly key: string;
  readonly name: string;
  /** The only work pool that it may use. */
  readonly workPoolId: string;
}

/** Creates, lists and revokes keys. `ref` is a key's id or prefix. */
export class KeyManager {
  readonly #clock: Clock;
  readonly #store: KeyStore;
  readonly #cache: Pick<KeyCache, "invalidate" | "clear">;
  /** True if revoking the last admin key would lock everyone out of a server that other hosts can reach. */
  readonly #keepsLastAdmin: boolean;

  constructor(
    { clock, settings }: Pick<Core, "clock" | "settings">,
    store: KeyStore,
    cache: Pick<KeyCache, "invalidate" | "clear">,
  ) {
    this.#clock = clock;
    this.#store = store;
    this.#cache = cache;
    this.#keepsLastAdmin = settings.api_key === undefined &&
      !isLoopback(settings.host);
  }

  /**
   * Creates a key. Only this response contains it.
   *
   * @throws {GridError} `pool_not_found`, `invalid_request` - its expiry is in the past.
   */
  async create(input: KeyInput): Promise<NewKeyWire> {
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#insert(input);
      } catch (error) {
        if (!isConstraintError(error) || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  /** Returns a key. @throws {GridError} `key_not_found`. */
  async get(ref: string): Promise<KeyWire> {
    const key = await this.#store.find(ref);
    if (!key) throw keyNotFound(ref);
    return renderKey(key, this.#clock.now());
  }

  /** Lists keys, newest first. */
  async list(options: KeyListOptions): Promise<ListPage<KeyWire>> {
    const rows = await this.#store.list(options);
    const { items, ...rest } = toListPage(rows, options.limit);
    const now = this.#clock.now();
    return { items: items.map((row) => renderKey(row, now)), ...rest };
  }

  /**
   * Revokes a key. This server rejects it at once, other servers within 10 s.
   *
   * @throws {GridError} `key_not_found`, `last_admin_key` - no other key could administer a server that other hosts
   * can reach.
   */
  async revoke(ref: string): Promise<KeyWire> {
    const key = await this.#store.revoke(ref, {
      now: this.#clock.now(),
      keepsLastAdmin: this.#keepsLastAdmin,
    });
    if (!key) throw keyNotFound(ref);
    this.#cache.clear();
    if (key.revokedAt === null) throw lastAdminKey(key);
    return renderKey(key, this.#clock.now());
  }

  /**
   * Creates the key of a worker that the server starts, unless it exists. A repetition changes nothing. Returns false if
   * the pool does not exist, or the condition is not met.
   *
   * @param isExpected Condition that the worker is still expected, checked in the statement that inserts the key.
   */
  async provide(
    { id, key, name, workPoolId }: WorkerKey,
    isExpected: SQL,
  ): Promise<boolean> {
    const input: KeyInput = { name, role: "worker", work_pool_id: workPoolId };
    const row = { ...await toKeyRow(key, input, this.#clock.now()), id };
    try {
      const inserted = await this.#store.insert(row, workPoolId, isExpected);
      if (!inserted) return false;
      this.#cache.invalidate(row.prefix);
      return true;
    } catch (error) {
      const isThere = isConstraintError(error) && await this.#store.find(id);
      if (!isThere) throw error;
      return true;
    }
  }

  /** Deletes the key of a worker that the server has started, so that lists of keys do not grow. Idempotent. */
  async withdraw(id: string): Promise<void> {
    const prefix = await this.#store.delete(id);
    if (prefix !== undefined) this.#cache.invalidate(prefix);
  }

  async #insert(input: KeyInput): Promise<NewKeyWire> {
    const key = newKey();
    const now = this.#clock.now();
    const row = await toKeyRow(key, input, now);
    const inserted = await this.#store.insert(row, input.work_pool_id);
    if (!inserted) throw poolNotFound(input.work_pool_id ?? "");
    this.#cache.invalidate(row.prefix);
    return { ...renderKey(inserted, now), key };
  }
}

async function toKeyRow(
  key: string,
  input: KeyInput,
  now: number,
): Promise<KeyRow> {
  return {
    id: uuidv7(),
    name: input.name,
    prefix: parseKeyPrefix(key) ?? "",
    hash: await hashText(key),
    role: input.role,
    workPoolId: null,
    maxSessions: input.max_sessions ?? null,
    maxQueue: input.max_queue ?? null,
    maxPriority: input.max_priority ?? null,
    createdAt: now,
    expiresAt: resolveExpiry(input, now),
    lastUsedAt: null,
    revokedAt: null,
    signedInFor: null,
    signedInProof: null,
  };
}

/** Returns the earlier of the requested times of expiry; null if none was requested. */
function resolveExpiry(
  { expires_at, expires_in_days }: KeyInput,
  now: number,
): number | null {
  const times = [
    ...(expires_at === undefined ? [] : [Date.parse(expires_at)]),
    ...(expires_in_days === undefined
      ? []
      // Rounded up, so that a key that lives for less than 1 ms is not rejected.
      : [now + Math.ceil(expires_in_days * DAY_MS)]),
  ];
  if (times.length === 0) return null;
  const expiry = Math.min(...times);
  if (expiry > now) return expiry;
  throw new GridError(
    "invalid_request",
    `Cannot create a key that expires at "${expires_at}": that time is past, expected a time in the future`,
  );
}

function keyNotFound(ref: string): GridError {
  return new GridError(
    keyProblems.key_not_found,
    `Cannot find key "${
      redactKeys(ref)
    }": no key has this id or prefix, expected one of GET /v1/keys`,
  );
}

function poolNotFound(ref: string): GridError {
  return new GridError(
    poolProblems.pool_not_found,
    `Cannot restrict the key to work pool "${ref}": no pool has this id or name, expected one of GET /v1/workerpool/pools`,
  );
}

function lastAdminKey({ prefix }: KeyRow): GridError {
  return new GridError(
    keyProblems.last_admin_key,
    `Cannot revoke key "${prefix}": it is the last active admin key and BROWSERGRID_API_KEY is not set, expected another admin key first`,
  );
}

/** Reports whether a client has a valid key. One round trip. */
export async function hasClientKey(
  db: Database,
  now: number,
): Promise<boolean> {
  return await new KeyStore(db).hasClientKey(now);
}

/** Reports whether an admin has a key that is not revoked, so that every caller needs a key. One round trip. */
export async function hasAdminKey(db: Database): Promise<boolean> {
  return (await new KeyStore(db).readKeys([])).hasAdmin;
}
