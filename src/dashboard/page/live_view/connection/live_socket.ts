import { type ReadonlySignal, signal } from "@preact/signals";
import type { LiveMessage } from "../../../../apps/live/schemas/live_messages.ts";

/** Reason for which the server ends a live view. */
export type EndCode = Extract<LiveMessage, { readonly type: "end" }>["code"];

/** State of the connection to the server. */
export type SocketState =
  | { readonly state: "closed" }
  | { readonly state: "connecting" }
  | { readonly state: "open" }
  | {
    readonly state: "lost";
    /** Time of the next attempt. */
    readonly retryAt: number;
    /** True if the server has accepted this viewer before. */
    readonly wasOpen: boolean;
  };

/** Receivers of a socket's messages. */
export interface LiveSocketOptions {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly onOpen: () => void;
  readonly onMessage: (message: LiveMessage) => void;
  readonly onPicture: (bytes: ArrayBuffer) => void;
  readonly onClose: () => void;
}

/** Pause before the second attempt; it doubles with each one. */
const FIRST_RETRY_MS = 500;

const MAX_RETRY_MS = 15_000;

/** The WebSocket of a live view, which is opened again after a loss. */
export class LiveSocket {
  readonly #options: LiveSocketOptions;
  readonly #state = signal<SocketState>({ state: "closed" });
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retryMs = FIRST_RETRY_MS;
  #wasOpen = false;

  constructor(options: LiveSocketOptions) {
    this.#options = options;
  }

  /** State of the connection. */
  get state(): ReadonlySignal<SocketState> {
    return this.#state;
  }

  /** Connects now, in the place of an earlier connection. */
  open(): void {
    this.#drop();
    addEventListener("online", this.#retryNow);
    document.addEventListener("visibilitychange", this.#retryNow);
    this.#state.value = { state: "connecting" };
    const { url, protocols } = this.#options;
    const socket = new WebSocket(url, [...protocols]);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = () => this.#lose();
  }

  /** Ends the connection and all attempts. */
  close(): void {
    this.#drop();
    removeEventListener("online", this.#retryNow);
    document.removeEventListener("visibilitychange", this.#retryNow);
    this.#state.value = { state: "closed" };
  }

  /** Sends a message, if the connection is open. */
  send(message: string | Blob): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(message);
  }

  #receive(data: string | ArrayBuffer): void {
    if (typeof data !== "string") return this.#options.onPicture(data);
    // Of the same program as this page.
    const message: LiveMessage = JSON.parse(data);
    if (message.type === "hello") {
      this.#retryMs = FIRST_RETRY_MS;
      this.#wasOpen = true;
      this.#state.value = { state: "open" };
      this.#options.onOpen();
    }
    this.#options.onMessage(message);
  }

  #lose(): void {
    this.#drop();
    // Viewers that lose their server at once do not return at once.
    const pause = this.#retryMs * (0.75 + Math.random() / 2);
    this.#retryMs = Math.min(2 * this.#retryMs, MAX_RETRY_MS);
    this.#state.value = {
      state: "lost",
      retryAt: Date.now() + pause,
      wasOpen: this.#wasOpen,
    };
    this.#options.onClose();
    this.#timer = setTimeout(() => this.open(), pause);
  }

  readonly #retryNow = (): void => {
    if (!document.hidden && this.#state.value.state === "lost") this.open();
  };

  #drop(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
