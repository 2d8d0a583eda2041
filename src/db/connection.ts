import type { Client, InStatement, ResultSet } from "@libsql/client";

/** Maximum number of concurrent reads, and of concurrent writes, of a client that can have several. */
export const MAX_CONCURRENCY = 20;

/** Result of one batch of a group. A batch with an error has changed nothing. */
export type BatchOutcome =
  | { readonly results: ResultSet[] }
  | { readonly error: unknown };

/** An open client with its rules for calls. */
export interface Connection extends Disposable {
  readonly client: Client;
  /** Maximum number of concurrent reads, and of concurrent writes. */
  readonly concurrency: number;
  /** Makes one call of the client. */
  run<T>(call: () => Promise<T>): Promise<T>;
  /**
   * Executes write batches in one transaction, each as a whole or not at all, and returns the outcomes of the first ones,
   * at least one. Absent if each batch is a transaction of its own.
   */
  readonly batchGroup?: (
    batches: readonly (readonly InStatement[])[],
  ) => Promise<readonly BatchOutcome[]>;
  /** Replaces the client's connection with a new one. */
  reconnect(): void;
}
