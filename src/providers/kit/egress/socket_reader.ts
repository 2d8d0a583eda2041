import { Buffer } from "node:buffer";
import type { Socket } from "node:net";

/** Reads the beginning of a connection piece by piece, and leaves the rest to the next reader. */
export class SocketReader {
  readonly #socket: Socket;
  #buffer = Buffer.alloc(0);
  #isClosed = false;
  #wake = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", this.#onData);
    socket.on("end", this.#onClose);
    socket.on("close", this.#onClose);
  }

  /**
   * Returns the next bytes, as many as `findLength` returns for the bytes received so far; undefined means that more are
   * needed.
   *
   * @throws {Error} If more than `max` bytes arrive before, or the connection ends.
   */
  async take(
    findLength: (bytes: Buffer) => number | undefined,
    max: number,
  ): Promise<Buffer> {
    for (;;) {
      const length = findLength(this.#buffer);
      if (length !== undefined && length <= this.#buffer.length) {
        const taken = this.#buffer.subarray(0, length);
        this.#buffer = this.#buffer.subarray(length);
        return taken;
      }
      if (this.#buffer.length > max) throw new Error("it is too long");
      if (this.#isClosed) throw new Error("the connection has ended");
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  /** Returns the next `length` bytes. */
  bytes(length: number): Promise<Buffer> {
    return this.take(() => length, length);
  }

  /** Returns the head of an HTTP message, without the empty line after it. */
  async head(max: number): Promise<string> {
    const head = await this.take((bytes) => {
      const end = bytes.indexOf("\r\n\r\n");
      return end < 0 ? undefined : end + 4;
    }, max);
    return head.toString("latin1", 0, head.length - 4);
  }

  /** Stops reading, pauses the connection and returns the unread bytes. */
  release(): Buffer {
    this.#socket.off("data", this.#onData);
    this.#socket.off("end", this.#onClose);
    this.#socket.off("close", this.#onClose);
    this.#socket.pause();
    return this.#buffer;
  }

  readonly #onData = (chunk: Buffer) => {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    this.#wake();
  };

  readonly #onClose = () => {
    this.#isClosed = true;
    this.#wake();
  };
}
