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
import { callerOfKey, type KeyRow, statusOf } from "./key.ts";
import type { KeyStore } from "./store/keys.ts";

/** How long what is known is good. */
const FRESH_MS = 10_000;

/** What nobody has asked for in this time is no longer looked at. */
const IN_USE_MS = 60_000;

/** How often it is written that a key is used. */
const USE_WRITTEN_MS = 60_000;

/** Most keys that are known at once, those too that are none. */
const MOST = 10_000;

interface Known {
  /** Undefined: there is no key with this prefix. */
  readonly row: KeyRow | undefined;
  readonly lookedAt: number;
  askedAt: number;
  /** Last use by the clock; undefined: none that is not written. */
  usedAt?: number | undefined;
  writtenAt?: number | undefined;
}

/** The keys that a server has been shown. Times are of the monotonic clock, but for uses and ends. */
export class KeyRing {
  readonly #store: Pick<KeyStore, "look">;
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  /** By prefix; whoever was asked for last comes last. */
  readonly #known = new Map<string, Known>();
  readonly #looking = new Map<string, Promise<Known>>();
  #admin: { readonly is: boolean; readonly lookedAt: number } | undefined;
  #adminAskedAt = -Infinity;
  #lookingForAdmin: Promise<boolean> | undefined;
  /** Grows when something here was forgotten: what was being read then may be out of date. */
  #age = 0;

  constructor(
    store: Pick<KeyStore, "look">,
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
    const status = statusOf(row, this.#clock.now());
    if (status !== "active") return status;
    known.usedAt = this.#clock.now();
    return callerOfKey(row);
  }

  /** Whether an admin has a key that is not revoked. One that has ended keeps the grid closed. */
  async hasAdmin(): Promise<boolean> {
    this.#adminAskedAt = this.#clock.monotonic();
    if (this.#admin && this.#isFresh(this.#admin)) return this.#admin.is;
    this.#lookingForAdmin ??= this.#look([]).then(({ hasAdmin }) => hasAdmin)
      .finally(() => this.#lookingForAdmin = undefined);
    return await this.#lookingForAdmin;
  }

  /** Has the key read again the next time: it was made or revoked here. */
  forget(prefix: string): void {
    this.#age++;
    this.#known.delete(prefix);
    this.#looking.delete(prefix);
    this.#admin = undefined;
    this.#lookingForAdmin = undefined;
  }

  /** Looks again at what is in use, and writes uses, each key's once a minute. One round trip, or none if nobody asks. */
  async tend(): Promise<void> {
    const now = this.#clock.monotonic();
    this.#drop(now - IN_USE_MS);
    const rows = [...this.#known.values()].flatMap(({ row }) => row ?? []);
    const used = this.#unwritten(now);
    const isIdle = rows.length === 0 && this.#adminAskedAt < now - IN_USE_MS;
    if (isIdle) return;
    await this.#look(rows.map(({ prefix }) => prefix), used);
    for (const known of this.#known.values()) {
      if (known.row === undefined || used[known.row.id] === undefined) continue;
      known.writtenAt = now;
      if (known.usedAt === used[known.row.id]) known.usedAt = undefined;
    }
  }

  async #get(prefix: string): Promise<Known> {
    const known = this.#known.get(prefix);
    const found = known && this.#isFresh(known)
      ? known
      : await this.#lookFor(prefix);
    found.askedAt = this.#clock.monotonic();
    if (this.#known.delete(prefix)) this.#known.set(prefix, found);
    return found;
  }

  /** Requests that show the same key at once look for it once. */
  #lookFor(prefix: string): Promise<Known> {
    const looking = this.#looking.get(prefix);
    if (looking) return looking;
    const look = this.#look([prefix]).then(({ rows: [row] }): Known => {
      const known = this.#known.get(prefix);
      return known && this.#isFresh(known)
        ? known
        : { row, lookedAt: -Infinity, askedAt: -Infinity };
    }).finally(() => {
      if (this.#looking.get(prefix) === look) this.#looking.delete(prefix);
    });
    this.#looking.set(prefix, look);
    return look;
  }

  async #look(
    prefixes: readonly string[],
    used: Readonly<Record<string, number>> = {},
  ) {
    const age = this.#age;
    // Before the answer: a revocation that comes meanwhile must not be hidden for longer.
    const lookedAt = this.#clock.monotonic();
    const isUse = Object.keys(used).length > 0;
    const look = await this.#store.look(
      prefixes,
      isUse ? used : undefined,
    );
    if (age !== this.#age) return look;
    this.#admin = { is: look.hasAdmin, lookedAt };
    for (const prefix of prefixes) {
      const row = look.rows.find((each) => each.prefix === prefix);
      this.#keep(prefix, row, lookedAt);
    }
    return look;
  }

  #keep(prefix: string, row: KeyRow | undefined, lookedAt: number): void {
    const before = this.#known.get(prefix);
    const [oldest] = this.#known.keys();
    if (!before && this.#known.size >= MOST && oldest !== undefined) {
      this.#known.delete(oldest);
    }
    this.#known.set(prefix, {
      askedAt: lookedAt,
      ...before,
      row,
      lookedAt,
    });
  }

  #isFresh({ lookedAt }: { readonly lookedAt: number }): boolean {
    return this.#clock.monotonic() - lookedAt < FRESH_MS;
  }

  /** Forgets what nobody has asked for since, except uses that are to be written. */
  #drop(since: number): void {
    for (const [prefix, { askedAt, usedAt, row }] of this.#known) {
      const isWritten = usedAt === undefined || row === undefined;
      if (askedAt < since && isWritten) this.#known.delete(prefix);
    }
  }

  #unwritten(now: number): Record<string, number> {
    const used: Record<string, number> = {};
    for (const { row, usedAt, writtenAt = -Infinity } of this.#known.values()) {
      const isDue = now - writtenAt >= USE_WRITTEN_MS;
      if (row && usedAt !== undefined && isDue) used[row.id] = usedAt;
    }
    return used;
  }
}
