import { CLOSE_REASONS, type CloseReason } from "../close_frame.ts";
import type {
  ByteCounts,
  JoinedStream,
  StreamEnd,
  StreamOptions,
} from "../joined_stream.ts";
import type { SharedState, StreamMessage, ThreadMessage } from "./messages.ts";
import { closeDescriptor, type TakenSocket } from "./take_sockets.ts";

/** Options of {@linkcode ThreadStream}. */
export interface ThreadStreamOptions extends Pick<StreamOptions, "explain"> {
  readonly id: number;
  readonly sockets: readonly TakenSocket[];
  readonly state: SharedState;
  readonly send: (message: StreamMessage) => void;
}

/** The main thread's handle of a stream whose sockets the stream thread joins. */
export class ThreadStream implements JoinedStream {
  readonly ended: Promise<StreamEnd>;
  readonly #options: ThreadStreamOptions;
  /** Set while the end is explained. */
  #clientGone: AbortController | undefined;
  readonly #end: (end: StreamEnd) => void;
  #expected: CloseReason | undefined;

  constructor(options: ThreadStreamOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<StreamEnd>();
    this.ended = promise;
    this.#end = resolve;
  }

  /** True if the thread closes the sockets. */
  get isTaken(): boolean {
    return this.#options.state.isTaken;
  }

  readBytes(): Readonly<ByteCounts> {
    return this.#options.state;
  }

  countBytes(): number {
    const { bytesIn, bytesOut } = this.#options.state;
    return bytesIn + bytesOut;
  }

  expectEnd(reason: CloseReason): void {
    const { id, send } = this.#options;
    this.#expected = reason;
    send({ type: "expect_end", id, reason });
  }

  close(reason: CloseReason): void {
    const { id, send } = this.#options;
    send({ type: "close", id, reason });
  }

  ping(): void {
    const { id, send } = this.#options;
    send({ type: "ping", id });
  }

  hold(message: string): void {
    const { id, send } = this.#options;
    send({ type: "hold", id, message });
  }

  release(): void {
    const { id, send } = this.#options;
    send({ type: "release", id });
  }

  /** Handles a message of the thread about this stream. */
  receive(message: Extract<ThreadMessage, { readonly id: number }>): void {
    switch (message.type) {
      case "explain":
        return void this.#explain();
      case "client_gone":
        return this.#clientGone?.abort();
      case "ended":
        return this.#end(message.end);
      default:
        message satisfies never;
    }
  }

  /** Ends the stream of a thread that has ended. Closes the sockets if the thread has not taken them. */
  abandon(): void {
    const { sockets, state: { bytesIn, bytesOut } } = this.#options;
    if (!this.isTaken) sockets.forEach(({ fd }) => closeDescriptor(fd));
    this.#clientGone?.abort();
    this.#end({ by: "grid", bytesIn, bytesOut });
  }

  async #explain(): Promise<void> {
    const { id, send, explain } = this.#options;
    this.#clientGone = new AbortController();
    // The thread may detect the end before it receives the message about it.
    const reason = this.#expected ??
      await explain(this.#clientGone.signal)
        .catch(() => CLOSE_REASONS.browserGone);
    send({ type: "explained", id, reason });
  }
}
