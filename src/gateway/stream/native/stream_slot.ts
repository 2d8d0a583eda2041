import { FRAME_STATE_LENGTH, FrameFollower } from "../frame_follower.ts";
import { SharedCounts } from "../thread/messages.ts";

/** Layout of `struct stream` in `join.c`. The first 16 bytes are the counts. */
const SLOT_BYTES = 176;
const CLIENT_FRAMES_AT = 16;
const BROWSER_FRAMES_AT = 72;
const INTEGERS_AT = 128;

/** Positions of integers after {@linkcode INTEGERS_AT}. */
const CLIENT = 0;
const BROWSER = 1;
const RETURNED = 3;
const AWAITS_PONG = 4;

/** Length of `struct loop` in `join.c`, and the position of the integer that is 1 once the loop ends. */
export const LOOP_BYTES = 32;
export const IS_STOPPED = 3;

/** A stream's structure in memory that the native loop uses until it is returned. It must be reachable until then. */
export class StreamSlot extends SharedCounts {
  readonly pointer: Deno.PointerValue;
  /** Frames that the client sends. */
  readonly clientFrames: FrameFollower;
  /** Frames that the browser sends. */
  readonly frames: FrameFollower;
  readonly client: number;
  readonly browser: number;
  readonly #integers: Int32Array;

  /** Describes the stream between two file descriptors. */
  constructor(client: number, browser: number) {
    super(new SharedArrayBuffer(SLOT_BYTES));
    this.pointer = Deno.UnsafePointer.of(new Uint8Array(this.buffer));
    const follow = (at: number) =>
      new FrameFollower(new Float64Array(this.buffer, at, FRAME_STATE_LENGTH));
    this.clientFrames = follow(CLIENT_FRAMES_AT);
    this.frames = follow(BROWSER_FRAMES_AT);
    this.#integers = new Int32Array(this.buffer, INTEGERS_AT);
    this.client = this.#integers[CLIENT] = client;
    this.browser = this.#integers[BROWSER] = browser;
  }

  /** True if the loop no longer uses the stream. */
  get isReturned(): boolean {
    return Atomics.load(this.#integers, RETURNED) === 1;
  }

  /** True if the client has not responded to a ping. */
  get awaitsPong(): boolean {
    return this.#integers[AWAITS_PONG] === 1;
  }
}
