import { v7 as uuid } from "uuid";
import type { Core } from "../../core/app.ts";
import { isConstraintError } from "../../db/client.ts";
import { type Database } from "../../core/database.ts";
import { GridError } from "../../core/errors.ts";
import { hashOf, newKey, prefixOf, withoutKeys } from "../../core/redact.ts";
import { isLoopback } from "../../core/network.ts";
import { type Page, pageOf } from "../../http/page.ts";
import { type KeyRow, renderKey } from "./key.ts";
import type { KeyCache } from "./key_cache.ts";
import type { KeyInput, KeyWire, NewKeyWire } from "./schemas.ts";
import {
  createKeyStore,
  type KeyListOptions,
  type KeyStore,
} from "./store/keys.ts";
import { keyProblems } from "./problems.ts";
import { poolProblems } from "../workerpool/problems.ts";

/** How often another key is made up because the first part of one is taken. */
const MAX_ATTEMPTS = 3;

const DAY_MS = 86_400_000;

/** The rules of keys. A key is named by its id or its prefix. */
export interface KeyManager {
  /** Makes a key. The only answer that has it. @throws {GridError} `pool_not_found`, `invalid_request` — it would have ended. */
  create(input: KeyInput): Promise<NewKeyWire>;
  /** @throws {GridError} `key_not_found`. */
  get(ref: string): Promise<KeyWire>;
  list(page: KeyListOptions): Promise<Page<KeyWire>>;
  /**
   * Has a key refused from now on; here at once, by other servers within 10 s.
   *
   * @throws {GridError} `last_admin_key` — when others can reach the server and nobody could use it any more.
   */
  revoke(ref: string): Promise<KeyWire>;
}

/** The manager over `store`; `ring` is told of what changes. */
export function createKeyManager(
  { clock, settings }: Pick<Core, "clock" | "settings">,
  store: KeyStore,
  ring: Pick<KeyCache, "invalidate">,
): KeyManager {
  /** One server that others can reach must not be left without a way in. */
  const keepsLastAdmin = settings.api_key === undefined &&
    !isLoopback(settings.host);

  async function insert(input: KeyInput): Promise<NewKeyWire> {
    const key = newKey();
    const now = clock.now();
    const row = await toKeyRow(key, input, now);
    const inserted = await store.insert(row, input.work_pool_id);
    if (!inserted) throw poolNotFound(input.work_pool_id ?? "");
    ring.invalidate(row.prefix);
    return { ...renderKey(inserted, now), key };
  }

  return {
    async create(input) {
      for (let attempt = 1;; attempt++) {
        try {
          return await insert(input);
        } catch (error) {
          if (!isConstraintError(error) || attempt === MAX_ATTEMPTS) {
            throw error;
          }
        }
      }
    },
    async get(ref) {
      const key = await store.find(ref);
      if (!key) throw keyNotFound(ref);
      return renderKey(key, clock.now());
    },
    async list(page) {
      const { items, ...rest } = pageOf(await store.list(page), page.limit);
      const now = clock.now();
      return { items: items.map((row) => renderKey(row, now)), ...rest };
    },
    async revoke(ref) {
      const key = await store.revoke(ref, { now: clock.now(), keepsLastAdmin });
      if (!key) throw keyNotFound(ref);
      ring.invalidate(key.prefix);
      if (key.revokedAt === null) throw lastAdminKey(key);
      return renderKey(key, clock.now());
    },
  };
}

async function toKeyRow(
  key: string,
  input: KeyInput,
  now: number,
): Promise<KeyRow> {
  return {
    id: uuid(),
    name: input.name,
    prefix: prefixOf(key) ?? "",
    hash: await hashOf(key),
    role: input.role,
    workPoolId: null,
    maxSessions: input.max_sessions ?? null,
    maxQueue: input.max_queue ?? null,
    maxPriority: input.max_priority ?? null,
    createdAt: now,
    expiresAt: resolveExpiry(input, now),
    lastUsedAt: null,
    revokedAt: null,
  };
}

function resolveExpiry(
  { expires_at, expires_in_days }: KeyInput,
  now: number,
): number | null {
  const ends = [
    ...(expires_at === undefined ? [] : [Date.parse(expires_at)]),
    ...(expires_in_days === undefined
      ? []
      // A key that is good for less than a moment is good for a moment.
      : [now + Math.ceil(expires_in_days * DAY_MS)]),
  ];
  const end = Math.min(...ends);
  if (ends.length === 0) return null;
  if (end > now) return end;
  throw new GridError(
    "invalid_request",
    `Cannot make a key that ends at "${expires_at}": that is past, expected a time to come`,
  );
}

function keyNotFound(ref: string): GridError {
  return new GridError(
    keyProblems.key_not_found,
    `Cannot find key "${
      withoutKeys(ref)
    }": there is none with this id or prefix, expected one of GET /v1/keys`,
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
    `Cannot revoke key "${prefix}": it is the last one of an admin, and no BROWSERGRID_API_KEY is set, expected that another is made first`,
  );
}

/** Reports whether a client has a valid key. One round trip. */
export async function hasClientKey(
  db: Database,
  now: number,
): Promise<boolean> {
  return await createKeyStore(db).hasClient(now);
}

/** Whether an admin has a key that is not revoked: from then on everybody needs one. One round trip. */
export async function hasAdminKey(db: Database): Promise<boolean> {
  return (await createKeyStore(db).readKeys([])).hasAdmin;
}
