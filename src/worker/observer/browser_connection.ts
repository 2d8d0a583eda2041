import { systemClock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import { closeConn, writeAll } from "../../async/join_conns.ts";
import type { RunningBrowser } from "../../core/provider.ts";
import {
  connectTcp,
  exchangeHead,
  renderUpgradeRequest,
  startTls,
} from "../tunnel/stream.ts";
import { encodeFrame, type FrameHandler, FrameReader } from "./frames.ts";

/** Timeout of the connection and its handshake. */
const HANDSHAKE_MS = 10_000;

/** Size of the buffer that is read into. */
const BUFFER_BYTES = 256 * 1_024;

/** Pause between two reads of a flood, so that one read has many messages. Until then the kernel stores them. */
const FLOOD_PAUSE_MS = 20;

/** Time between two reads that counts as a flood. */
const FLOOD_INTERVAL_MS = 5;

/** The address of a browser: its endpoint, or the unix socket that it listens on instead. */
export type BrowserAddress = Pick<RunningBrowser, "endpoint" | "socketPath">;

/** The events of a connection. */
export interface ConnectionEvents
  extends Pick<FrameHandler, "isNeeded" | "onMessage"> {
  readonly onOpen: () => void;
}

/**
 * A WebSocket connection from the worker to a browser. Messages that are not needed are skipped without a copy, so that a
 * flood of them costs little.
 */
export class BrowserConnection implements Disposable {
  /** Resolves when the connection has ended, for any reason. */
  readonly closed: Promise<void>;
  readonly #stop = new AbortController();
  #conn: Deno.Conn | undefined;
  /** Frames are written one after the other. */
  #writing: Promise<void> = Promise.resolve();

  /** Connects at once. */
  constructor(address: BrowserAddress, events: ConnectionEvents) {
    this.closed = this.#run(address, events).catch(() => {}).finally(() =>
      this[Symbol.dispose]()
    );
  }

  /** Sends a command, unless the connection has ended. */
  send(command: object): void {
    this.#write(encodeFrame(JSON.stringify(command)));
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    if (this.#conn) closeConn(this.#conn);
    this.#conn = undefined;
  }

  #write(frame: Uint8Array): void {
    const conn = this.#conn;
    if (!conn) return;
    this.#writing = this.#writing.then(() => writeAll(conn, frame))
      .catch(() => this[Symbol.dispose]());
  }

  async #run(address: BrowserAddress, events: ConnectionEvents): Promise<void> {
    const { signal } = this.#stop;
    const reader = new FrameReader({
      ...events,
      onPing: (payload) => this.#write(encodeFrame(payload)),
      onClose: () => this[Symbol.dispose](),
    });
    const rest = await this.#open(address);
    events.onOpen();
    reader.push(rest);
    const buffer = new Uint8Array(BUFFER_BYTES);
    for (let readAt = -Infinity; this.#conn;) {
      const count = await this.#conn.read(buffer);
      if (count === null) return;
      reader.push(buffer.subarray(0, count));
      const now = performance.now();
      const isFlood = now - readAt < FLOOD_INTERVAL_MS;
      readAt = now;
      if (isFlood) {
        await systemClock.sleep(FLOOD_PAUSE_MS, signal);
        readAt = -Infinity;
      }
    }
  }

  /** Connects and returns the bytes after the handshake. */
  async #open({ endpoint, socketPath }: BrowserAddress): Promise<Uint8Array> {
    using timeout = deadline(systemClock, HANDSHAKE_MS, this.#stop.signal);
    const { signal } = timeout;
    const onAbort = () => this[Symbol.dispose]();
    signal.addEventListener("abort", onAbort);
    try {
      if (socketPath === undefined) {
        const tcp = this.#use(await connectTcp(endpoint, signal));
        if (endpoint.protocol === "wss:") {
          this.#use(await startTls(tcp, endpoint));
        }
      } else {
        this.#use(await Deno.connect({ transport: "unix", path: socketPath }));
      }
      // The browser accepts only addresses as the host.
      const url = socketPath === undefined
        ? endpoint
        : new URL(`ws://127.0.0.1${endpoint.pathname}`);
      const request = renderUpgradeRequest(url);
      if (!this.#conn) throw signal.reason;
      return await exchangeHead(this.#conn, request, "the browser");
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Lets the disposal close a connection: at once, if it is over. */
  #use<C extends Deno.Conn>(conn: C): C {
    this.#conn = conn;
    if (this.#stop.signal.aborted) this[Symbol.dispose]();
    return conn;
  }
}
