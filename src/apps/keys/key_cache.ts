/**
 * A cache of the keys in the database, so that checking the key of a request costs no round trip.
 *
 * An entry is valid for 10 s. One statement refreshes all entries in use before they expire. A key that another server
 * revokes is therefore rejected here within 10 s.
 *
 * @module
 */
import type { Clock } from "../../async/clock.ts";
import type { Caller, KeyFault } from "../../core/caller.ts";
import { hashKey, isEqualHash, parseKeyPrefix } from "../../core/redact.ts";
import { getKeyStatus, type KeyRow, toCaller } from "./key.ts";
import type { KeySnapshot, KeyStore } from "./store/keys.ts";

/** Time for which an entry is valid. */
const FRESH_MS = 10_000;

/** An entry that is not requested for this time is no longer refreshed. */
const IN_USE_MS = 60_000;

/** Shortest time between two writes of a key's last use. */
const USE_WRITE_INTERVAL_MS = 60_000;

/** Maximum number of entries, including those of unknown prefixes. */
const MAX_ENTRIES = 10_000;

interface CachedKey {
  /** Undefined if no key has this prefix. */
  readonly row: KeyRow | undefined;
  readonly readAt: number;
  requestedAt: number;
  /** Time of the last use, by the wall clock; undefined if every use is written. */
  usedAt?: number | undefined;
  writtenAt?: number | undefined;
}

/** Caches the keys that callers have presented. Times are of the monotonic clock, except uses and expiry. */
export class KeyCache {
  readonly #store: Pick<KeyStore, "readKeys">;
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  readonly #isCurrent: ((row: KeyRow) => Promise<boolean>) | undefined;
  /** By prefix, in order of the last request. */
  readonly #entries = new Map<string, CachedKey>();
  readonly #reads = new Map<string, Promise<CachedKey>>();
  #admin: { readonly exists: boolean; readonly readAt: number } | undefined;
  #adminRequestedAt = -Infinity;
  #adminRead: Promise<boolean> | undefined;
  /** Grows with each invalidation: a read that began before it may be out of date. */
  #generation = 0;

  constructor(
    store: Pick<KeyStore, "readKeys">,
    clock: Pick<Clock, "now" | "monotonic">,
    isCurrent?: (row: KeyRow) => Promise<boolean>,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#isCurrent = isCurrent;
  }

  /** Returns the caller that `key` authenticates, or the reason why it authenticates none. */
  async find(key: string): Promise<Caller | KeyFault> {
    const prefix = parseKeyPrefix(key);
    if (prefix === undefined) return "wrong";
    const entry = await this.#get(prefix);
    const { row } = entry;
    const isRight = isEqualHash(await hashKey(key), row?.hash ?? "");
    if (!row || !isRight) return "wrong";
    const status = getKeyStatus(row, this.#clock.now());
    if (status !== "active") return status;
    if (await this.#isCurrent?.(row) === false) return "revoked";
    entry.usedAt = this.#clock.now();
    return toCaller(row);
  }

  /** Reports whether an admin has a key that is not revoked. An expired key counts. */
  async hasAdmin(): Promise<boolean> {
    this.#adminRequestedAt = this.#clock.monotonic();
    if (this.#admin && this.#isFresh(this.#admin)) return this.#admin.exists;
    this.#adminRead ??= this.#read([]).then(({ hasAdmin }) => hasAdmin)
      .finally(() => this.#adminRead = undefined);
    return await this.#adminRead;
  }

  /** Removes the entry of a key that was created. The next request reads it again. */
  invalidate(prefix: string): void {
    this.#entries.delete(prefix);
    this.#reads.delete(prefix);
    this.#invalidateAdmin();
  }

  /** Makes the next requests read all keys again, after a key and its sign-ins were revoked. */
  clear(): void {
    for (const [prefix, entry] of this.#entries) {
      if (entry.usedAt === undefined) this.#entries.delete(prefix);
      else this.#entries.set(prefix, { ...entry, readAt: -Infinity });
    }
    this.#reads.clear();
    this.#invalidateAdmin();
  }

  #invalidateAdmin(): void {
    this.#generation++;
    this.#admin = undefined;
    this.#adminRead = undefined;
  }

  /**
   * Reads the keys in use again and writes their last uses, those of one key at most once a minute.
   *
   * One round trip, or none if no key is in use.
   */
  async refresh(): Promise<void> {
    const now = this.#clock.monotonic();
    this.#evict(now - IN_USE_MS);
    const rows = [...this.#entries.values()].flatMap(({ row }) => row ?? []);
    const uses = this.#collectUses(now);
    const isIdle = rows.length === 0 &&
      this.#adminRequestedAt < now - IN_USE_MS;
    if (isIdle) return;
    await this.#read(rows.map(({ prefix }) => prefix), uses);
    for (const entry of this.#entries.values()) {
      const written = entry.row && uses[entry.row.id];
      if (written === undefined) continue;
      entry.writtenAt = now;
      if (entry.usedAt === written) entry.usedAt = undefined;
    }
  }

  async #get(prefix: string): Promise<CachedKey> {
    const cached = this.#entries.get(prefix);
    const entry = cached && this.#isFresh(cached)
      ? cached
      : await this.#readOne(prefix);
    entry.requestedAt = this.#clock.monotonic();
    if (this.#entries.delete(prefix)) this.#entries.set(prefix, entry);
    return entry;
  }

  /** Reads the key of a prefix. Concurrent requests share one read. */
  #readOne(prefix: string): Promise<CachedKey> {
    const running = this.#reads.get(prefix);
    if (running) return running;
    const read = this.#read([prefix]).then(({ rows: [row] }): CachedKey => {
      const cached = this.#entries.get(prefix);
      return cached && this.#isFresh(cached)
        ? cached
        : { row, readAt: -Infinity, requestedAt: -Infinity };
    }).finally(() => {
      if (this.#reads.get(prefix) === read) this.#reads.delete(prefix);
    });
    this.#reads.set(prefix, read);
    return read;
  }

  async #read(
    prefixes: readonly string[],
    uses: Readonly<Record<string, number>> = {},
  ): Promise<KeySnapshot> {
    const generation = this.#generation;
    // Before the response: a revocation during the read must not be hidden for longer.
    const readAt = this.#clock.monotonic();
    const hasUses = Object.keys(uses).length > 0;
    const snapshot = await this.#store.readKeys(
      prefixes,
      hasUses ? uses : undefined,
    );
    if (generation !== this.#generation) return snapshot;
    this.#admin = { exists: snapshot.hasAdmin, readAt };
    for (const prefix of prefixes) {
      const row = snapshot.rows.find((each) => each.prefix === prefix);
      this.#record(prefix, row, readAt);
    }
    return snapshot;
  }

  #record(prefix: string, row: KeyRow | undefined, readAt: number): void {
    const before = this.#entries.get(prefix);
    const [oldest] = this.#entries.keys();
    if (!before && this.#entries.size >= MAX_ENTRIES && oldest !== undefined) {
      this.#entries.delete(oldest);
    }
    this.#entries.set(prefix, {
      requestedAt: readAt,
      ...before,
      row,
      readAt,
    });
  }

  #isFresh({ readAt }: { readonly readAt: number }): boolean {
    return this.#clock.monotonic() - readAt < FRESH_MS;
  }

  /** Removes entries that were last requested before `since`, except those with unwritten uses. */
  #evict(since: number): void {
    for (const [prefix, { requestedAt, usedAt, row }] of this.#entries) {
      const isWritten = usedAt === undefined || row === undefined;
      if (requestedAt < since && isWritten) this.#entries.delete(prefix);
    }
  }

  /** Returns the times of the uses that must be written now, by id of the key. */
  #collectUses(now: number): Record<string, number> {
    const uses: Record<string, number> = {};
    for (
      const { row, usedAt, writtenAt = -Infinity } of this.#entries.values()
    ) {
      const isDue = now - writtenAt >= USE_WRITE_INTERVAL_MS;
      if (row && usedAt !== undefined && isDue) uses[row.id] = usedAt;
    }
    return uses;
  }
}
