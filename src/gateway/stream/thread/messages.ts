import type { CloseReason } from "../close_frame.ts";
import type { ByteCounts, FirstBytes, StreamEnd } from "../joined_stream.ts";

/** A request to join two sockets. */
export interface JoinMessage extends FirstBytes {
  readonly type: "join";
  readonly id: number;
  /** File descriptors of the sockets, which the thread closes once it has set {@linkcode SharedState.isTaken}. */
  readonly client: number;
  readonly upstream: number;
  readonly pings: boolean;
  readonly isDeflated: boolean;
  readonly hold: string | undefined;
  readonly state: SharedArrayBuffer;
}

/** A message to the thread about one of its streams. */
export type StreamMessage =
  | JoinMessage
  | { readonly type: "ping" | "release"; readonly id: number }
  | { readonly type: "hold"; readonly id: number; readonly message: string }
  | {
    readonly type: "close" | "expect_end" | "explained";
    readonly id: number;
    readonly reason: CloseReason;
  };

/** A message from the thread. */
export type ThreadMessage =
  | { readonly type: "ready" }
  /** Sent once, after an error that no stream has handled. The thread accepts no further streams and closes those that it has. */
  | { readonly type: "failed"; readonly error: string }
  | { readonly type: "explain" | "client_gone"; readonly id: number }
  | { readonly type: "ended"; readonly id: number; readonly end: StreamEnd };

const COUNTS = 2;
const COUNT_BYTES = COUNTS * Float64Array.BYTES_PER_ELEMENT;

/** Byte counts at the start of memory that threads share. */
export class SharedCounts implements ByteCounts {
  readonly buffer: SharedArrayBuffer;
  readonly #counts: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#counts = new Float64Array(buffer, 0, COUNTS);
  }

  get bytesIn(): number {
    return this.#counts[0] ?? 0;
  }

  set bytesIn(count: number) {
    this.#counts[0] = count;
  }

  get bytesOut(): number {
    return this.#counts[1] ?? 0;
  }

  set bytesOut(count: number) {
    this.#counts[1] = count;
  }
}

/** The state of a stream that both threads read without a message. */
export class SharedState extends SharedCounts {
  readonly #taken: Int32Array;

  constructor(
    buffer: SharedArrayBuffer = new SharedArrayBuffer(COUNT_BYTES + 4),
  ) {
    super(buffer);
    this.#taken = new Int32Array(buffer, COUNT_BYTES, 1);
  }

  /** True if the thread has taken the sockets and closes them; false if the sender of the message has to. */
  get isTaken(): boolean {
    return Atomics.load(this.#taken, 0) === 1;
  }

  /** Takes the sockets for the thread. */
  take(): void {
    Atomics.store(this.#taken, 0, 1);
  }
}
