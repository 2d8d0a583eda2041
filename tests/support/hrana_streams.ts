import { DatabaseSync } from "node:sqlite";
import { HranaStream } from "./hrana_stream.ts";

/** A stream whose client does not come back is given up. */
const ABANDONED_MS = 10_000;

interface Parked {
  readonly stream: HranaStream;
  readonly at: number;
}

/**
 * The streams of a database, each with a connection of its own.
 *
 * One that is not closed within its HTTP request waits under a baton, which its client shows with the next request. A
 * baton is good for one.
 */
export class HranaStreams implements Disposable {
  readonly #path: string;
  readonly #idle: DatabaseSync[] = [];
  readonly #parked = new Map<string, Parked>();

  constructor(path: string) {
    this.#path = path;
    // Once for all: the journal is the file's.
    const db = this.#connect();
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    this.#idle.push(db);
  }

  /** Streams that were not closed by the request that used them last. */
  get open(): number {
    return this.#parked.size;
  }

  /** A new stream, or the one that waits under `baton`; undefined if there is none. */
  take(baton: string | null | undefined): HranaStream | undefined {
    this.#giveUp();
    if (!baton) return new HranaStream(this.#idle.pop() ?? this.#connect());
    const parked = this.#parked.get(baton);
    this.#parked.delete(baton);
    return parked?.stream;
  }

  /** Ends a closed stream; keeps another, and returns its baton. */
  give(stream: HranaStream): string | null {
    if (stream.isClosed) {
      this.#idle.push(stream.release());
      return null;
    }
    const baton = crypto.randomUUID();
    this.#parked.set(baton, { stream, at: Date.now() });
    return baton;
  }

  [Symbol.dispose](): void {
    for (const { stream } of this.#parked.values()) stream.release().close();
    for (const db of this.#idle) db.close();
    this.#parked.clear();
    this.#idle.length = 0;
  }

  #connect(): DatabaseSync {
    return new DatabaseSync(this.#path, {
      enableForeignKeyConstraints: true,
      timeout: 0,
    });
  }

  #giveUp(): void {
    for (const [baton, { stream, at }] of this.#parked) {
      if (Date.now() - at < ABANDONED_MS) continue;
      this.#parked.delete(baton);
      this.#idle.push(stream.release());
    }
  }
}
