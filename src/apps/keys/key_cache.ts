/**
 * What this server knows of the keys in the database, so that a request costs no round trip for its key.
 *
 * What is known is good for 10 s; what is in use is looked at again, all of it in one statement, before it gets that old.
 * So a key that another server revokes is refused here within 10 s.
 *
 * @module
 */
import type { Caller, KeyFault } from "../../core/caller.ts";
import type { Clock } from "../../async/clock.ts";
import { hashOf, isEqualHash, prefixOf } from "../../core/redact.ts";
import { getKeyStatus, type KeyRow, toCaller } from "./key.ts";
import type { KeyStore } from "./store/keys.ts";

/** How long what is known is good. */
const FRESH_MS = 10_000;

/** What nobody has asked for in this time is no longer looked at. */
const IN_USE_MS = 60_000;

/** How often it is written that a key is used. */
const USE_WRITE_INTERVAL_MS = 60_000;

/** Most keys that are known at once, those too that are none. */
const MAX_ENTRIES = 10_000;

interface CachedKey {
  /** Undefined: there is no key with this prefix. */
  readonly row: KeyRow | undefined;
  readonly readAt: number;
  requestedAt: number;
  /** Last use by the clock; undefined: none that is not written. */
  usedAt?: number | undefined;
  writtenAt?: number | undefined;
}

/** The keys that a server has been shown. Times are of the monotonic clock, but for uses and ends. */
export class KeyCache {
  readonly #store: Pick<KeyStore, "readKeys">;
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  /** By prefix; whoever was asked for last comes last. */
  readonly #entries = new Map<string, CachedKey>();
  readonly #reads = new Map<string, Promise<CachedKey>>();
  #admin: { readonly is: boolean; readonly readAt: number } | undefined;
  #adminRequestedAt = -Infinity;
  #adminRead: Promise<boolean> | undefined;
  /** Grows when something here was forgotten: what was being read then may be out of date. */
  #generation = 0;

  constructor(
    store: Pick<KeyStore, "readKeys">,
    clock: Pick<Clock, "now" | "monotonic">,
  ) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Who shows `key`. */
  async find(key: string): Promise<Caller | KeyFault> {
    const prefix = prefixOf(key);
    if (prefix === undefined) return "wrong";
    const known = await this.#get(prefix);
    const { row } = known;
    const isRight = isEqualHash(await hashOf(key), row?.hash ?? "");
    if (!row || !isRight) return "wrong";
    const status = getKeyStatus(row, this.#clock.now());
    if (status !== "active") return status;
    known.usedAt = this.#clock.now();
    return toCaller(row);
  }

  /** Whether an admin has a key that is not revoked. One that has ended keeps the grid closed. */
  async hasAdmin(): Promise<boolean> {
    this.#adminRequestedAt = this.#clock.monotonic();
    if (this.#admin && this.#isFresh(this.#admin)) return this.#admin.is;
    this.#adminRead ??= this.#read([]).then(({ hasAdmin }) => hasAdmin)
      .finally(() => this.#adminRead = undefined);
    return await this.#adminRead;
  }

  /** Has the key read again the next time: it was made or revoked here. */
  invalidate(prefix: string): void {
    this.#generation++;
    this.#entries.delete(prefix);
    this.#reads.delete(prefix);
    this.#admin = undefined;
    this.#adminRead = undefined;
  }

  /** Looks again at what is in use, and writes uses, each key's once a minute. One round trip, or none if nobody asks. */
  async refresh(): Promise<void> {
    const now = this.#clock.monotonic();
    this.#evict(now - IN_USE_MS);
    const rows = [...this.#entries.values()].flatMap(({ row }) => row ?? []);
    const used = this.#collectUses(now);
    const isIdle = rows.length === 0 &&
      this.#adminRequestedAt < now - IN_USE_MS;
    if (isIdle) return;
    await this.#read(rows.map(({ prefix }) => prefix), used);
    for (const known of this.#entries.values()) {
      if (known.row === undefined || used[known.row.id] === undefined) continue;
      known.writtenAt = now;
      if (known.usedAt === used[known.row.id]) known.usedAt = undefined;
    }
  }

  async #get(prefix: string): Promise<CachedKey> {
    const known = this.#entries.get(prefix);
    const found = known && this.#isFresh(known)
      ? known
      : await this.#readOne(prefix);
    found.requestedAt = this.#clock.monotonic();
    if (this.#entries.delete(prefix)) this.#entries.set(prefix, found);
    return found;
  }

  /** Requests that show the same key at once look for it once. */
  #readOne(prefix: string): Promise<CachedKey> {
    const looking = this.#reads.get(prefix);
    if (looking) return looking;
    const read = this.#read([prefix]).then(({ rows: [row] }): CachedKey => {
      const known = this.#entries.get(prefix);
      return known && this.#isFresh(known)
        ? known
        : { row, readAt: -Infinity, requestedAt: -Infinity };
    }).finally(() => {
      if (this.#reads.get(prefix) === read) this.#reads.delete(prefix);
    });
    this.#reads.set(prefix, read);
    return read;
  }

  async #read(
    prefixes: readonly string[],
    used: Readonly<Record<string, number>> = {},
  ) {
    const age = this.#generation;
    // Before the answer: a revocation that comes meanwhile must not be hidden for longer.
    const readAt = this.#clock.monotonic();
    const isUse = Object.keys(used).length > 0;
    const read = await this.#store.readKeys(
      prefixes,
      isUse ? used : undefined,
    );
    if (age !== this.#generation) return read;
    this.#admin = { is: read.hasAdmin, readAt };
    for (const prefix of prefixes) {
      const row = read.rows.find((each) => each.prefix === prefix);
      this.#record(prefix, row, readAt);
    }
    return read;
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

  /** Forgets what nobody has asked for since, except uses that are to be written. */
  #evict(since: number): void {
    for (
      const [prefix, { requestedAt, usedAt, row }] of this.#entries
    ) {
      const isWritten = usedAt === undefined || row === undefined;
      if (requestedAt < since && isWritten) this.#entries.delete(prefix);
    }
  }

  #collectUses(now: number): Record<string, number> {
    const used: Record<string, number> = {};
    for (
      const { row, usedAt, writtenAt = -Infinity } of this.#entries.values()
    ) {
      const isDue = now - writtenAt >= USE_WRITE_INTERVAL_MS;
      if (row && usedAt !== undefined && isDue) used[row.id] = usedAt;
    }
    return used;
  }
}
