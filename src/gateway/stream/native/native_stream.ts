import type { CloseReason } from "../close_frame.ts";
import type {
  ByteCounts,
  FirstBytes,
  JoinedStream,
  StreamEnd,
  StreamOptions,
} from "../joined_stream.ts";
import { openReusingBuffer } from "../reused_buffer_socket.ts";
import { type Splice, startSplice } from "../splice.ts";
import { closeDescriptor } from "../thread/take_sockets.ts";
import type { StreamSlot } from "./stream_slot.ts";

/** Options of {@linkcode NativeStream}. */
export interface NativeStreamOptions extends StreamOptions {
  /** Pings the client, or asks the loop to return the stream. Called only before it is returned. */
  readonly command: (command: "ping" | "return") => void;
}

/** A stream that the native loop copies until it is returned, and then a {@linkcode Splice}. */
export class NativeStream implements JoinedStream {
  readonly ended: Promise<StreamEnd>;
  readonly slot: StreamSlot;
  readonly #options: NativeStreamOptions;
  readonly #end: (end: StreamEnd | Promise<StreamEnd>) => void;
  #splice: Splice | undefined;
  #expected: CloseReason | undefined;
  #closing: CloseReason | undefined;
  #hold: string | undefined;

  constructor(slot: StreamSlot, options: NativeStreamOptions) {
    this.slot = slot;
    this.#options = options;
    this.#hold = options.hold;
    const { promise, resolve } = Promise.withResolvers<StreamEnd>();
    this.ended = promise;
    this.#end = resolve;
  }

  readBytes(): Readonly<ByteCounts> {
    return this.slot;
  }

  countBytes(): number {
    return this.slot.bytesIn + this.slot.bytesOut;
  }

  expectEnd(reason: CloseReason): void {
    this.#expected = reason;
    this.#splice?.expectEnd(reason);
  }

  close(reason: CloseReason): void {
    if (this.#splice) return this.#splice.close(reason);
    this.#closing ??= reason;
    this.#options.command("return");
  }

  ping(): void {
    if (this.#splice) this.#splice.ping();
    else if (this.#options.pings) this.#options.command("ping");
  }

  hold(message: string): void {
    if (this.#splice) return this.#splice.hold(message);
    this.#hold = message;
    this.#options.command("return");
  }

  release(): void {
    this.#hold = undefined;
    this.#splice?.release();
  }

  /** Continues without the loop. Sends the bytes of `first` before others; they are part of the slot's frames. */
  continue(first: Omit<FirstBytes, "headLength"> = NO_BYTES): void {
    const { slot } = this;
    this.#splice = startSplice(
      openReusingBuffer(slot.client),
      openReusingBuffer(slot.browser),
      {
        ...this.#options,
        first: { ...first, headLength: first.toClient.length },
        frames: slot.frames,
        clientFrames: slot.clientFrames,
        hold: this.#hold,
        awaitsPong: slot.awaitsPong,
        counts: slot,
      },
    );
    this.#end(this.#splice.ended);
    if (this.#expected) this.#splice.expectEnd(this.#expected);
    if (this.#closing) this.#splice.close(this.#closing);
  }

  /** Closes the sockets of a stream that the loop no longer uses. */
  abandon(): void {
    const { client, browser, bytesIn, bytesOut } = this.slot;
    for (const fd of [client, browser]) closeDescriptor(fd);
    this.#end({ by: "grid", bytesIn, bytesOut });
  }
}

const NO_BYTES = { toClient: new Uint8Array(), toBrowser: new Uint8Array() };
