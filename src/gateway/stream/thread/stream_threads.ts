/**
 * The stream thread: joins clients' sockets with browsers' beside the main thread, so that bytes do not wait for
 * database calls, requests or rendered responses.
 *
 * ```
 * main thread                                     stream thread
 * handshakes of client and browser
 *   | takeSockets(): what was read is kept, the
 *   | file descriptors are duplicated, both
 *   v streams destroyed
 * ThreadStream -------- join: fds, bytes -------> sockets on the fds, which reuse one buffer each
 *   | ------ ping, close, expect_end -----------> Splice: copies bytes, follows frames
 *   | <- explain ---- explained: reason -------->   |
 *   | <---------- ended: by, bytes ---------------  | closes both sockets
 *   + countBytes() <---- SharedState -------------  + counts bytes, sets `taken`
 * ```
 *
 * A descriptor has one owner at any time: the stream, then the main thread that has taken it, and the thread once it sets
 * `taken`. If the thread fails, the main thread closes what was not taken.
 *
 * Where the native join (`../native/`) can be loaded, it takes the place of this thread.
 *
 * Streams stay on the main thread, with the same {@linkcode Splice}, where sockets have no descriptor of their own (TLS
 * to another server of the grid) and where no thread can be started.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { settleWithin } from "../../../async/settle_within.ts";
import { createLogger } from "../../../core/log.ts";
import type {
  FirstBytes,
  JoinedStream,
  StreamOptions,
} from "../joined_stream.ts";
import { type NativeJoin, openNativeJoin } from "../native/native_join.ts";
import { startSplice } from "../splice.ts";
import { StreamThread, type StreamThreadOptions } from "./stream_thread.ts";

const log = createLogger("gateway", "stream_thread");

/** Timeout of a thread's start, which takes 50 ms on an idle machine. Until then, streams stay on the main thread. */
const START_MS = 1_000;

/** Options of {@linkcode StreamThreads}. */
export interface StreamThreadsOptions
  extends Pick<StreamThreadOptions, "module"> {
  /** Path of the library of the native join, which is used where it can be loaded. Absent: it is not used. */
  readonly library?: string | undefined;
}

/** Joins sockets in one thread, native or a worker, which is started on first use and replaced after a failure. Disposal ends it. */
export class StreamThreads implements AsyncDisposable {
  readonly #options: Pick<StreamThreadOptions, "module">;
  readonly #threads = new Set<StreamThread>();
  #native: NativeJoin | undefined;
  #current: StreamThread | undefined;
  #isOff = false;
  /** Set until it is opened, or cannot be. */
  #library: string | undefined;

  constructor({ library, ...options }: StreamThreadsOptions = {}) {
    this.#library = library;
    this.#options = options;
  }

  /** Starts the thread, unless it runs. Resolves when sockets can be joined. Never rejects. */
  async start(): Promise<void> {
    if (this.#isOff) return;
    const library = this.#library;
    this.#library = undefined;
    if (library) this.#native = openNativeJoin(library);
    if (this.#native?.isRunning) return;
    this.#current ??= this.#create();
    if (this.#current.hasStarted) return;
    await settleWithin(this.#current.started, START_MS);
  }

  /** Joins a client's socket with a browser's: in the thread if it runs and takes them, otherwise in this one. */
  join(
    client: Duplex,
    upstream: Duplex,
    options: StreamOptions & { readonly first: FirstBytes },
  ): JoinedStream {
    return this.#native?.join(client, upstream, options) ??
      this.#current?.join(client, upstream, options) ??
      startSplice(client, upstream, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOff = true;
    for (const thread of this.#threads) thread[Symbol.dispose]();
    await this.#native?.[Symbol.asyncDispose]();
  }

  #create(): StreamThread {
    const thread: StreamThread = new StreamThread({
      ...this.#options,
      onFailure: (error) => this.#handleFailure(thread, error),
      onEnd: () => void this.#threads.delete(thread),
    });
    this.#threads.add(thread);
    return thread;
  }

  /** Lets the next start replace a thread that ran. One that cannot start is not replaced. */
  #handleFailure(thread: StreamThread, error: string): void {
    const hasStarted = thread.hasStarted;
    log.error(
      hasStarted
        ? "Stream thread failed, starting another: {error}"
        : "Stream thread cannot start, streams stay on the main thread: {error}",
      { error },
    );
    this.#isOff ||= !hasStarted;
    this.#current = undefined;
  }
}
