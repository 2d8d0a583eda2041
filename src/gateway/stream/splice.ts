import type { Duplex } from "node:stream";
import {
  CLOSE_REASONS,
  type CloseReason,
  encodeCloseFrame,
} from "./close_frame.ts";
import { FrameFollower } from "./frame_follower.ts";
import { ClientHold } from "./hold/client_hold.ts";
import type { Filtered } from "./hold/command_filter.ts";
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
  /** State of the client's frames, including those of the first bytes. */
  readonly clientFrames?: FrameFollower;
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
  const clientFrames = options.clientFrames ?? new FrameFollower();
  if (!options.clientFrames) clientFrames.follow(toBrowser);
  const splice = new Splice(client, upstream, {
    ...options,
    frames,
    clientFrames,
  });
  upstream.resume();
  if (options.hold === undefined) client.resume();
  else splice.hold(options.hold);
  return splice;
}

/**
 * Joins a client's socket with a browser's: copies bytes both ways until either side ends, with the back-pressure of
 * the sockets. Either socket may reuse the buffer of its "data" events.
 *
 * Only the headers of frames are parsed, unless commands of the client are held. A close frame or a ping is written only
 * between two frames of the browser; if the stream ends within a frame, the client gets no close frame and reports an
 * abnormal closure (1006).
 */
export class Splice implements JoinedStream {
  readonly ended: Promise<StreamEnd>;
  readonly #client: Duplex;
  readonly #upstream: Duplex;
  readonly #options: SpliceOptions;
  readonly #frames: FrameFollower;
  readonly #clientFrames: FrameFollower;
  #hold: ClientHold | undefined;
  /** Responses to held commands that wait for the end of a message of the browser. */
  #replies: Uint8Array[] = [];
  /** True while responses to held commands have not left this process: no further ones are accepted. */
  #repliesWait = false;
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
    this.#clientFrames = options.clientFrames ?? new FrameFollower();
    this.#awaitsPong = options.awaitsPong ?? false;
    const counts = options.counts ?? { bytesIn: 0, bytesOut: 0 };
    this.#counts = counts;
    this.ended = Promise.all([waitForClose(client), waitForClose(upstream)])
      .then(() => ({
        by: this.#by ?? "grid",
        bytesIn: counts.bytesIn,
        bytesOut: counts.bytesOut,
      }));
    client.on("data", (chunk: Uint8Array) => this.#readClient(chunk));
    upstream.on("data", (chunk: Uint8Array) => this.#readBrowser(chunk));
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

  hold(message: string): void {
    if (this.#hold) return this.#hold.renew(message);
    this.#hold = new ClientHold({
      message,
      frames: this.#clientFrames,
      isDeflated: this.#options.isDeflated ?? false,
    });
    this.#client.pause();
    void this.#hold.loaded.then(() => this.#filter(NOTHING))
      .catch(() => this.close(CLOSE_REASONS.streamFailed));
  }

  release(): void {
    if (this.#hold) this.#forward(this.#hold, this.#hold.release());
  }

  /**
   * Copies bytes of the client. Reading pauses until the bytes have left this process: the buffer may be reused by the
   * next read, and a stream whose other side does not read holds at most one read in memory.
   */
  #readClient(chunk: Uint8Array): void {
    if (!this.#upstream.writable) return;
    // The browser ignores this frame; it keeps a worker's tunnel from being idle.
    if (this.#awaitsPong && isPong(chunk)) this.#awaitsPong = false;
    else this.#counts.bytesIn += chunk.length;
    if (this.#hold) return this.#filter(chunk);
    this.#clientFrames.follow(chunk);
    this.#upstream.write(chunk);
    this.#pauseClient();
  }

  /** Pauses the client until the bytes that were written to the browser are out. */
  #pauseClient(): void {
    if (this.#upstream.writableLength === 0) return;
    this.#client.pause();
    // Called once the bytes are out. Most writes complete at once, and a callback of each would cost a tenth of a trip.
    this.#upstream.write(NOTHING, this.#resumeClient);
  }

  readonly #resumeClient = (): void => {
    const mustWait = this.#repliesWait || this.#hold?.isLoading ||
      this.#upstream.writableLength > 0;
    if (!mustWait) this.#client.resume();
  };

  /** Copies bytes of the browser, as those of the client. */
  #readBrowser(chunk: Uint8Array): void {
    if (!this.#client.writable) return;
    this.#counts.bytesOut += chunk.length;
    const rest = this.#replies.length > 0 ? this.#insertReplies(chunk) : chunk;
    this.#frames.follow(rest);
    this.#client.write(rest);
    if (this.#client.writableLength === 0) return;
    this.#upstream.pause();
    this.#client.write(NOTHING, this.#resumeBrowser);
  }

  readonly #resumeBrowser = (): void => {
    if (this.#client.writableLength === 0) this.#upstream.resume();
  };

  /** Copies the bytes of a client some of whose commands are held. */
  #filter(chunk: Uint8Array): void {
    if (this.#hold) this.#forward(this.#hold, this.#hold.filter(chunk));
  }

  #forward(hold: ClientHold, { forwarded, replies }: Filtered): void {
    if (!this.#upstream.writable) return;
    if (hold.isOver) this.#hold = undefined;
    for (const bytes of forwarded) this.#upstream.write(bytes);
    this.#pauseClient();
    if (replies.length > 0) {
      this.#replies.push(...replies);
      // A client that does not read its responses sends no further commands.
      this.#repliesWait = true;
      this.#client.pause();
      this.#writeReplies();
    } else this.#resumeClient();
  }

  /** Writes the responses to held commands, unless a message of the browser is incomplete. */
  #writeReplies(): void {
    if (!this.#frames.isBetweenMessages || this.#frames.hasClosed) return;
    for (const reply of this.#replies.splice(0)) this.#client.write(reply);
    this.#client.write(NOTHING, () => {
      this.#repliesWait = this.#replies.length > 0;
      this.#resumeClient();
    });
  }

  /** Copies bytes of the browser up to the end of a message, and the responses after it. Returns the rest. */
  #insertReplies(chunk: Uint8Array): Uint8Array {
    const end = this.#frames.followToMessage(chunk);
    this.#client.write(chunk.subarray(0, end));
    this.#writeReplies();
    return chunk.subarray(end);
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

function waitForClose(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}
