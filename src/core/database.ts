import type { Client } from "@libsql/client";
import type { BatchItem } from "drizzle-orm/batch";
import type { RunnableQuery } from "drizzle-orm/runnable-query";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";

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
   * @throws {GridError} `encryption_key_mismatch` — it was encrypted with another key or for another position, or
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

/** The database of the grid: one file, or a remote libSQL server. */
export interface Database extends Disposable {
  /** Builds and runs queries. One query or one `batch` is one round trip; interactive transactions are not used. */
  readonly orm: LibSQLDatabase;
  /** For migrations and SQL prompts. */
  readonly client: Client;
  /** Number of round trips so far. An attempt that found the database locked and its retries count as one. */
  trips(): number;
}
