import type { Duplex } from "node:stream";
import {
  CLOSE_REASONS,
  type CloseReason,
  encodeCloseFrame,
} from "./close_frame.ts";
import { FrameFollower } from "./frame_follower.ts";
import type {
  ByteCounts,
  FirstBytes,
  JoinedStream,
  StreamEnd,
  StreamOptions,
} from "./joined_stream.ts";
import { isPong, PING } from "./ping.ts";

/** Time in which either side may read its remaining bytes. */
const LINGER_MS = 2_000;

const NOTHING = new Uint8Array();

/** Options of {@linkcode Splice}. */
export interface SpliceOptions extends StreamOptions {
  /** State of the browser's frames, if the client has received some. */
  readonly frames?: FrameFollower;
  /** True if the client has not responded to a ping. @default {false} */
  readonly awaitsPong?: boolean;
  /** Object in which the bytes are counted. */
  readonly counts?: ByteCounts;
}

/** Sends the first bytes of both sides, then joins the sockets. */
export function startSplice(
  client: Duplex,
  upstream: Duplex,
  { first, ...options }: SpliceOptions & { readonly first: FirstBytes },
): Splice {
  const { toClient, headLength, toBrowser } = first;
  if (toClient.length > 0) client.write(toClient);
  if (toBrowser.length > 0) upstream.write(toBrowser);
  const frames = options.frames ?? new FrameFollower();
  frames.follow(toClient.subarray(headLength));
  const splice = new Splice(client, upstream, { ...options, frames });
  upstream.resume();
  client.resume();
  return splice;
}

/**
 * Joins a client's socket with a browser's: copies bytes both ways until either side ends, with the back-pressure of
 * the sockets. Either socket may reuse the buffer of its "data" events.
 *
 * Only the headers of the browser's frames are parsed, and nothing that the client sends. A close frame or a ping is
 * written only between two frames of the browser; if the stream ends within a frame, the client gets no close frame and
 * reports an abnormal closure (1006).
 */
export class Splice implements JoinedStream {
  readonly ended: Promise<StreamEnd>;
  readonly #client: Duplex;
  readonly #upstream: Duplex;
  readonly #options: SpliceOptions;
  readonly #frames: FrameFollower;
  /** Set while the end is explained. */
  #clientGone: AbortController | undefined;
  readonly #counts: ByteCounts;
  #by: StreamEnd["by"] | undefined;
  #expected: CloseReason | undefined;
  #isFinished = false;
  #awaitsPong: boolean;

  constructor(client: Duplex, upstream: Duplex, options: SpliceOptions) {
    this.#client = client;
    this.#upstream = upstream;
    this.#options = options;
    this.#frames = options.frames ?? new FrameFollower();
    this.#awaitsPong = options.awaitsPong ?? false;
    const counts = options.counts ?? { bytesIn: 0, bytesOut: 0 };
    this.#counts = counts;
    this.ended = Promise.all([waitForClose(client), waitForClose(upstream)])
      .then(() => ({
        by: this.#by ?? "grid",
        bytesIn: counts.bytesIn,
        bytesOut: counts.bytesOut,
      }));
    copy(client, upstream, (chunk) => {
      // The browser ignores this frame; it keeps a worker's tunnel from being idle.
      if (this.#awaitsPong && isPong(chunk)) this.#awaitsPong = false;
      else counts.bytesIn += chunk.length;
    });
    copy(upstream, client, (chunk) => {
      this.#frames.follow(chunk);
      counts.bytesOut += chunk.length;
    });
    for (const event of ["error", "end", "close"]) {
      client.on(event, () => this.#endByClient());
      upstream.on(event, () => this.#endByBrowser());
    }
  }

  readBytes(): Readonly<ByteCounts> {
    return this.#counts;
  }

  countBytes(): number {
    return this.#counts.bytesIn + this.#counts.bytesOut;
  }

  expectEnd(reason: CloseReason): void {
    this.#expected = reason;
  }

  close(reason: CloseReason): void {
    this.#by ??= "grid";
    this.#upstream.destroy();
    this.#finish(reason);
  }

  ping(): void {
    const isIdle = this.#by === undefined && this.#client.writable &&
      this.#client.writableLength === 0;
    if (!this.#options.pings || !isIdle || !this.#mayWriteFrame) return;
    this.#client.write(PING);
    this.#awaitsPong = true;
  }

  get #mayWriteFrame(): boolean {
    return this.#frames.isAtBoundary && !this.#frames.hasClosed;
  }

  #endByClient(): void {
    this.#clientGone?.abort();
    if (this.#by !== undefined) return;
    this.#by = "client";
    this.#client.destroy();
    // Data that the client sent before it left still arrives.
    this.#upstream.end(() => this.#upstream.destroy());
    this.#finish();
  }

  #endByBrowser(): void {
    if (this.#by !== undefined) return;
    this.#by = "browser";
    this.#upstream.destroy();
    // Where no frame may follow, as after the browser's own close frame, the reason would not be sent.
    const known = this.#expected ??
      (this.#mayWriteFrame ? undefined : CLOSE_REASONS.browserGone);
    if (known) return this.#finish(known);
    // Data that the client still sends is read and dropped, so that its end is detected.
    this.#client.resume();
    this.#clientGone = new AbortController();
    void this.#options.explain(this.#clientGone.signal)
      .catch(() => CLOSE_REASONS.browserGone)
      .then((reason) => this.#finish(reason));
  }

  /** Closes the client's side, with `reason` as its last frame if a frame may be written. Both sockets close soon. */
  #finish(reason?: CloseReason): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    if (reason) {
      if (this.#mayWriteFrame) this.#client.write(encodeCloseFrame(reason));
      this.#client.end();
      this.#client.resume();
    }
    const linger = setTimeout(() => {
      this.#client.destroy();
      this.#upstream.destroy();
    }, LINGER_MS);
    void this.ended.then(() => clearTimeout(linger));
  }
}

/**
 * Copies bytes from one socket to another. Reading pauses until the bytes have left this process: the buffer may be
 * reused by the next read, and a stream whose other side does not read holds at most one read in memory.
 */
function copy(
  from: Duplex,
  to: Duplex,
  count: (chunk: Uint8Array) => void,
): void {
  const resume = () => {
    if (to.writableLength === 0) from.resume();
  };
  from.on("data", (chunk: Uint8Array) => {
    if (!to.writable) return;
    count(chunk);
    to.write(chunk);
    if (to.writableLength === 0) return;
    from.pause();
    // Called once the bytes are out. Most writes complete at once, and a callback of each would cost a tenth of a trip.
    to.write(NOTHING, resume);
  });
}

function waitForClose(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}
