/**
 * The native join: copies the bytes of streams in a thread of C, `join.c`, while both sides are open. Everything else
 * that happens to a stream is done by {@linkcode Splice} on the main thread, to which the loop returns the stream.
 *
 * ```
 * main thread                                      native thread (join_run)
 * takeSockets(); first bytes are sent
 * StreamSlot ---- join_add ----------------------> peeks, sends, removes; counts bytes and
 *   | ---------- join_command: ping, return -----> follows frames in the slot
 *   | <--------- join_wait: a stream is returned - a side has ended or failed, or a command
 *   v
 * Splice on the same descriptors, with the slot's counts and frames
 * ```
 *
 * A stream whose client is held is returned as well, and stays with its {@linkcode Splice}.
 *
 * The main thread alone closes descriptors, and only those of streams that are returned. The loop holds no byte, so a
 * stream is complete whenever it is returned.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type {
  FirstBytes,
  JoinedStream,
  StreamOptions,
} from "../joined_stream.ts";
import { addUnread, takeSockets } from "../thread/take_sockets.ts";
import { type JoinLibrary, openJoinLibrary } from "./join_library.ts";
import { NativeStream } from "./native_stream.ts";
import { IS_STOPPED, LOOP_BYTES, StreamSlot } from "./stream_slot.ts";

/** Bits of `join_command`. */
const COMMANDS = { ping: 1, return: 2 } as const;

/** The native loop and its streams. Disposal ends it, with the streams that are left. */
export class NativeJoin implements AsyncDisposable {
  readonly #library: JoinLibrary;
  /** Memory that the loop uses until it has ended. */
  readonly #state = new Int32Array(new SharedArrayBuffer(LOOP_BYTES));
  readonly #pointer = Deno.UnsafePointer.of(this.#state);
  /** Streams that the loop uses, or has returned just now. */
  readonly #streams = new Set<NativeStream>();
  readonly #ended: Promise<void>;
  #isRunning: boolean;

  /** Starts the loop of a library, which is closed when the loop has ended. */
  constructor(library: JoinLibrary) {
    this.#library = library;
    this.#isRunning = library.symbols.join_open(this.#pointer) === 0;
    this.#ended = this.#isRunning ? this.#run() : Promise.resolve();
    if (!this.#isRunning) library.close();
  }

  /** True until the loop ends. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /**
   * Takes two sockets and joins them; without the loop, if one of them does not accept all first bytes at once.
   * Undefined, with no effect, if the loop does not run or a socket cannot be taken.
   */
  join(
    client: Duplex,
    upstream: Duplex,
    { first, ...options }: StreamOptions & { readonly first: FirstBytes },
  ): JoinedStream | undefined {
    const sockets = this.#isRunning ? takeSockets(client, upstream) : undefined;
    if (!sockets) return undefined;
    const { toClient, toBrowser, headLength } = addUnread(first, sockets);
    const slot = new StreamSlot(sockets[0].fd, sockets[1].fd);
    const stream = new NativeStream(slot, {
      ...options,
      command: (command) => this.#command(slot, command),
    });
    slot.frames.follow(toClient.subarray(headLength));
    slot.clientFrames.follow(toBrowser);
    const rest = {
      toClient: this.#send(slot.client, toClient),
      toBrowser: this.#send(slot.browser, toBrowser),
    };
    const isWhole = rest.toClient.length + rest.toBrowser.length === 0;
    if (!isWhole || options.hold !== undefined) stream.continue(rest);
    else {
      this.#streams.add(stream);
      this.#library.symbols.join_add(this.#pointer, slot.pointer);
    }
    return stream;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isRunning) this.#library.symbols.join_stop(this.#pointer);
    this.#isRunning = false;
    await this.#ended;
  }

  #command(slot: StreamSlot, command: keyof typeof COMMANDS): void {
    if (!this.#isRunning) return;
    const { symbols } = this.#library;
    symbols.join_command(this.#pointer, slot.pointer, COMMANDS[command]);
  }

  /** Sends bytes, and returns those that the socket did not accept. */
  #send(fd: number, bytes: Uint8Array<ArrayBuffer>): Uint8Array {
    return bytes.subarray(
      this.#library.symbols.join_send(fd, bytes, bytes.length),
    );
  }

  /** Runs the loop, continues the streams that it returns, and ends those that are left at its end. */
  async #run(): Promise<void> {
    const { symbols } = this.#library;
    const running = symbols.join_run(this.#pointer);
    while (Atomics.load(this.#state, IS_STOPPED) === 0) {
      await symbols.join_wait(this.#pointer);
      for (const stream of this.#streams) {
        if (!stream.slot.isReturned) continue;
        this.#streams.delete(stream);
        stream.continue();
      }
    }
    await running;
    this.#isRunning = false;
    symbols.join_close(this.#pointer);
    this.#library.close();
    for (const stream of this.#streams) stream.abandon();
  }
}

/** Starts the native join with the library at `path`. Undefined if it cannot be loaded. */
export function openNativeJoin(path: string): NativeJoin | undefined {
  const library = openJoinLibrary(path);
  return library && new NativeJoin(library);
}
