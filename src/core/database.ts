import type { Client } from "@libsql/client";
import type { BatchItem } from "drizzle-orm/batch";
import type { RunnableQuery } from "drizzle-orm/runnable-query";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";
import type { Distribution } from "./metrics/histogram.ts";

/** The position of an encrypted text in the database. */
export type SecretPosition = readonly [
  table: string,
  column: string,
  rowId: string,
];

/** Encrypts and decrypts values that must not be readable in a copy of the database. */
export interface Secrets {
  /** Runs `check` before anything is encrypted. It rejects if the key is not the grid's. */
  checkWith(check: () => Promise<unknown>): void;
  /** Encrypts `text`. @throws {GridError} `encryption_key_mismatch`. */
  seal(text: string, position: SecretPosition): Promise<string>;
  /** Encrypts a text that `check` reads; does not wait for `check`. */
  sealUnchecked(text: string, position: SecretPosition): Promise<string>;
  /**
   * Decrypts a text.
   *
   * @throws {GridError} `encryption_key_mismatch` - it was encrypted with another key or for another position, or
   * modified.
   */
  open(sealed: string, position: SecretPosition): Promise<string>;
  /** Returns the SQL LIKE pattern of texts that the current key encrypted. */
  currentPattern(): Promise<string>;
  /** Returns a keyed hash of `text` that is the same on every server. */
  fingerprint(text: string): Promise<string>;
}

/** A query that has not run yet. `T` is its result, whether it is awaited alone or is part of a batch. */
export type Statement<T> =
  & BatchItem<"sqlite">
  & RunnableQuery<T, "sqlite">
  & PromiseLike<T>;

/** The calls of one kind so far. */
export interface CallMeasures {
  /** Times from a call to its result, with the waits for its turn and for locks. */
  readonly seconds: Distribution;
  /** Number of tries that found the database locked. */
  busy: number;
}

/** Kinds of calls to the database. */
export type DatabaseOperation = "read" | "write";

/** The database of the grid: one file, or a remote libSQL server. */
export interface Database extends Disposable {
  /** Builds and runs queries. One query or one `batch` is one round trip; interactive transactions are not used. */
  readonly orm: LibSQLDatabase;
  /** For migrations and SQL prompts. */
  readonly client: Client;
  /** Expected time that a new read and a new write wait for the calls before them, in milliseconds. */
  expectedWaitMs(): number;
  /** True while so many calls wait for work in this process that more of them would only take memory. */
  hasBacklog(): boolean;
  /** Measures of all calls so far. */
  readonly measures: Readonly<Record<DatabaseOperation, CallMeasures>>;
  /** Number of round trips so far. An attempt that found the database locked and its retries count as one. */
  trips(): number;
}
