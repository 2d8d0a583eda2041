import type { Duplex } from "node:stream";
import type {
  FirstBytes,
  JoinedStream,
  StreamOptions,
} from "../joined_stream.ts";
import {
  SharedState,
  type StreamMessage,
  type ThreadMessage,
} from "./messages.ts";
import { addUnread, takeSockets } from "./take_sockets.ts";
import { ThreadStream } from "./thread_stream.ts";

/** Options of {@linkcode StreamThread}. */
export interface StreamThreadOptions {
  /** Called once with the error if the thread fails: it joins no further sockets. */
  readonly onFailure: (error: string) => void;
  /** Called when the thread and its streams have ended. */
  readonly onEnd: () => void;
  /** Module that runs in the thread. Tests replace it. */
  readonly module?: URL;
}

/** One thread and its streams. Disposal ends it, with the streams that are left. */
export class StreamThread implements Disposable {
  /** Resolves when the thread accepts streams, or has failed to start. */
  readonly started: Promise<void>;
  readonly #options: StreamThreadOptions;
  readonly #worker: Worker;
  readonly #streams = new Map<number, ThreadStream>();
  readonly #onStarted: () => void;
  #state: "starting" | "running" | "failed" | "ended" = "starting";
  #hasStarted = false;
  #lastId = 0;

  constructor(options: StreamThreadOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.started = promise;
    this.#onStarted = resolve;
    this.#worker = options.module
      ? new Worker(options.module, { type: "module" })
      // Bundlers find the module by this literal.
      : new Worker(new URL("./stream_worker.ts", import.meta.url), {
        type: "module",
      });
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = (event) => {
      // Unhandled, it would end the process.
      event.preventDefault();
      this.#fail(event.message);
      this[Symbol.dispose]();
    };
  }

  /** True if the thread has accepted streams. */
  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  /**
   * Moves two sockets to the thread and joins them there. Undefined, with no effect, if the thread does not run or a socket
   * cannot be moved.
   */
  join(
    client: Duplex,
    upstream: Duplex,
    { first, pings = false, isDeflated = false, hold, explain }:
      & StreamOptions
      & { readonly first: FirstBytes },
  ): JoinedStream | undefined {
    const sockets = this.#state === "running"
      ? takeSockets(client, upstream)
      : undefined;
    if (!sockets) return undefined;
    const id = ++this.#lastId;
    const state = new SharedState();
    const send = (message: StreamMessage) => this.#send(message);
    const stream = new ThreadStream({ id, sockets, state, send, explain });
    this.#streams.set(id, stream);
    send({
      type: "join",
      id,
      client: sockets[0].fd,
      upstream: sockets[1].fd,
      ...addUnread(first, sockets),
      pings,
      isDeflated,
      hold,
      state: state.buffer,
    });
    return stream;
  }

  [Symbol.dispose](): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#worker.terminate();
    for (const stream of this.#streams.values()) stream.abandon();
    this.#streams.clear();
    this.#onStarted();
    this.#options.onEnd();
  }

  #send(message: StreamMessage): void {
    if (this.#state !== "ended") this.#worker.postMessage(message);
  }

  #receive(message: ThreadMessage): void {
    switch (message.type) {
      case "ready":
        this.#state = "running";
        this.#hasStarted = true;
        return this.#onStarted();
      case "failed":
        this.#fail(message.error);
        return this.#abandonUntaken();
      default: {
        this.#streams.get(message.id)?.receive(message);
        if (message.type === "ended") this.#remove(message.id);
      }
    }
  }

  #fail(error: string): void {
    if (this.#state === "failed" || this.#state === "ended") return;
    this.#state = "failed";
    this.#options.onFailure(error);
  }

  /** Ends the streams that the failed thread has not begun. It closes the others itself. */
  #abandonUntaken(): void {
    for (const [id, stream] of this.#streams) {
      if (stream.isTaken) continue;
      stream.abandon();
      this.#streams.delete(id);
    }
    this.#endIfUnused();
  }

  #remove(id: number): void {
    this.#streams.delete(id);
    this.#endIfUnused();
  }

  #endIfUnused(): void {
    const isOver = this.#state === "failed" && this.#streams.size === 0;
    if (isOver) this[Symbol.dispose]();
  }
}
