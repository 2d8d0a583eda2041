import { Buffer } from "node:buffer";
import type { WebSocket } from "ws";
import {
  type LiveMessage,
  MAX_VIEWER_MESSAGE_BYTES,
} from "../../apps/live/schemas/live_messages.ts";
import {
  VIEW_MESSAGES,
  type ViewerMessage,
  viewerMessageSchema,
} from "../../apps/live/schemas/viewer_messages.ts";
import type { Clock } from "../../async/clock.ts";
import { Timer } from "../../async/timer.ts";
import { TokenBucket } from "../../async/token_bucket.ts";
import { watchSocket } from "../../tunnel/ping.ts";
import type { ViewerFile } from "./page/file_chooser.ts";
import type { LivePage } from "./page/live_page.ts";
import { PicturePacing } from "./page/pacing.ts";
import { Uploads } from "./uploads.ts";

/** Rate of a viewer's messages: mouse moves at 60 a second, acknowledgements and keys, with room. */
const MESSAGES = { perSecond: 300, burst: 600 };

/** Rate of the messages that take or give back control or end a request: each is an event of the session. */
const CHANGES = { perSecond: 2, burst: 10 };

/** Bytes that wait for a viewer, after which it is disconnected. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

/** Time in which a viewer must respond to the end of its view. */
const CLOSE_MS = 1_000;

/** Close code of a viewer. */
const GOING_AWAY = 1001;

/** Rights of a viewer, and how it is known. */
export interface ViewerGrant {
  readonly mode: "view" | "control";
  /** Id of its link; undefined for a caller with a key. */
  readonly linkId: string | undefined;
  /** End of the link, in milliseconds; undefined without a link. */
  readonly expiresAt: number | undefined;
  /** Name in events: the caller's name, or the link's id. */
  readonly name: string;
  /** Reports whether the viewer's key is still valid; undefined for a viewer with a link. */
  readonly isValid?: () => Promise<boolean>;
}

/** Hub of a viewer. */
export interface ViewerHandler {
  /** Handles a message that the viewer may send. */
  handle(viewer: Viewer, message: ViewerMessage): void;
  /** Handles files that have arrived completely. */
  handleFiles(viewer: Viewer, id: number, files: readonly ViewerFile[]): void;
  /** Called once when the view ends or the viewer has disconnected. */
  leave(viewer: Viewer): void;
}

/** One viewer: a WebSocket that receives pictures and sends input. */
export class Viewer {
  readonly grant: ViewerGrant;
  readonly pacing: PicturePacing;
  /** The page that it sees. */
  page: LivePage | undefined;
  /** True if it has chosen its page, and does not follow the newest. */
  hasChosen = false;
  size = { width: 1_280, height: 720 };
  readonly #socket: WebSocket;
  readonly #handler: ViewerHandler;
  readonly #bucket = new TokenBucket(MESSAGES);
  readonly #changes = new TokenBucket(CHANGES);
  readonly #uploads = new Uploads();
  readonly #clock: Clock;
  readonly #watch: AsyncDisposable;
  readonly #endTimer: Timer;
  #hasTooMany = false;
  #isOver = false;

  constructor(
    socket: WebSocket,
    { grant, handler, clock }: {
      readonly grant: ViewerGrant;
      readonly handler: ViewerHandler;
      readonly clock: Clock;
    },
  ) {
    this.#socket = socket;
    this.grant = grant;
    this.#handler = handler;
    this.#clock = clock;
    this.#endTimer = new Timer(clock);
    this.pacing = new PicturePacing(({ bytes }) => this.#send(bytes), clock);
    this.#watch = watchSocket(socket, clock);
    socket
      .on("message", (data, isBinary) => this.#receive(data, isBinary))
      // The "close" event follows.
      .on("error", () => {})
      .on("close", () => {
        this.#endTimer.stop();
        this.#leave();
      });
  }

  /** Sends a message. A viewer that does not read is disconnected. */
  send(message: LiveMessage): void {
    this.#send(JSON.stringify(message));
  }

  /** Tells the viewer what it should know. */
  notify(
    code: Extract<LiveMessage, { type: "notice" }>["code"],
    message: string,
  ): void {
    this.send({ type: "notice", code, message });
  }

  /** Expects the files of a message, each as a binary message. */
  expectFiles({ id, files }: Extract<ViewerMessage, { type: "files" }>): void {
    const problem = this.#uploads.begin(id, files);
    if (problem) this.notify("file_too_large", problem);
  }

  /** Says why the view ends, and closes the socket. What the viewer sends from now on is ignored. */
  end(
    code: Extract<LiveMessage, { type: "end" }>["code"],
    message: string,
  ): void {
    if (this.#isOver) return;
    this.send({ type: "end", code, message });
    this.#socket.close(GOING_AWAY, code);
    this.#endTimer.start(CLOSE_MS, () => this.#socket.terminate());
    this.#leave();
  }

  /** Sends bytes or text. A viewer may acknowledge pictures that it does not read. */
  #send(data: Uint8Array | string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > MAX_WAITING_BYTES) {
      return this.#socket.terminate();
    }
    this.#socket.send(data);
  }

  #receive(data: unknown, isBinary: boolean): void {
    if (this.#isOver) return;
    if (!this.#bucket.take(this.#clock.monotonic())) return this.#rejectFlood();
    const bytes = toBuffer(data);
    if (isBinary) return this.#receiveFile(bytes);
    const message = bytes.length > MAX_VIEWER_MESSAGE_BYTES
      ? undefined
      : parseMessage(bytes.toString());
    if (!message) {
      return this.notify(
        "invalid_message",
        "The server does not know this message.",
      );
    }
    if (this.grant.mode === "view" && !VIEW_MESSAGES.has(message.type)) {
      return this.notify("not_allowed", "This link is for viewing only.");
    }
    const isChange = message.type === "control" || message.type === "finish";
    if (isChange && !this.#changes.take(this.#clock.monotonic())) {
      return this.notify("not_allowed", "Too many changes; wait a second.");
    }
    if (message.type === "ack") this.pacing.acknowledge(message.seq);
    this.#handler.handle(this, message);
  }

  #receiveFile(bytes: Buffer): void {
    const complete = this.#uploads.add(bytes);
    if (complete === "unexpected") {
      return this.notify("invalid_message", "The server expects no file.");
    }
    if (complete) this.#handler.handleFiles(this, complete.id, complete.files);
  }

  #rejectFlood(): void {
    if (this.#hasTooMany) return;
    this.#hasTooMany = true;
    this.notify(
      "invalid_message",
      "Messages arrive faster than 300 a second, and some are dropped.",
    );
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    void this.#watch[Symbol.asyncDispose]();
    this.pacing[Symbol.dispose]();
    this.#handler.leave(this);
  }
}

function parseMessage(text: string): ViewerMessage | undefined {
  try {
    return viewerMessageSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function toBuffer(data: unknown): Buffer {
  if (data instanceof Buffer) return data;
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.alloc(0);
}
