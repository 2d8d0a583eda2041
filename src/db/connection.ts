import type { Client } from "@libsql/client";

/** Maximum number of concurrent reads, and of concurrent writes, of a client that can have several. */
export const MAX_CONCURRENCY = 20;

/** An open client with its rules for calls. */
export interface Connection extends Disposable {
  readonly client: Client;
  /** Maximum number of concurrent reads, and of concurrent writes. */
  readonly concurrency: number;
  /** Makes one call of the client. */
  run<T>(call: () => Promise<T>): Promise<T>;
  /** Replaces the client's connection with a new one. */
  reconnect(): void;
}
