import { isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import WebSocket, { type ClientOptions } from "ws";
import { type Clock, systemClock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import { createLogger, toMessage } from "../../core/log.ts";
import { removeEndSlash, toSocketHost } from "../../core/network.ts";
import { proofHeaders, type WorkerProof } from "../../core/worker_proof.ts";
import { watchSocket } from "../../tunnel/ping.ts";
import {
  MAX_MESSAGE_BYTES,
  MAX_REFUSAL_REASON,
  type OpenMessage,
  openMessageSchema,
  parseMessage,
  type RefusedMessage,
  renderTunnelPath,
} from "../../tunnel/protocol.ts";
import { connectViaProxy } from "./proxy_connect.ts";
import { type BrowserAddress, serveStream } from "./stream.ts";

const log = createLogger("worker", "tunnel");

/** Timeout of the server's acceptance of the control connection. */
const OPEN_MS = 10_000;

/** Pause after the second consecutive failure; after the first there is none. */
const MIN_PAUSE_MS = 250;

/** Maximum pause between attempts. */
const MAX_PAUSE_MS = 5_000;

/** Pause after a rejection. Long, because its cause is seldom transient: a server without gateway, or a wrong key. */
const REJECTED_PAUSE_MS = 60_000;

/** Duration of a connection after which its end does not count as a failure. */
const MIN_UPTIME_MS = 5_000;

/** The address of a tunnel's server and the key for it. */
export interface TunnelServer {
  readonly apiUrl: string;
  readonly apiKey?: string | undefined;
  /** HTTP proxy for the connection. */
  readonly proxy?: URL | undefined;
}

/** The worker of a tunnel. */
export interface TunnelClientOptions {
  readonly workerId: string;
  readonly proof: WorkerProof;
  readonly clock: Clock;
  /** Returns the address of a session's browser; undefined if the worker holds none. */
  readonly findAddress: (sessionId: string) => BrowserAddress | undefined;
}

/** Opens a worker's tunnel. */
export type TunnelOpener = (options: TunnelClientOptions) => TunnelClient;

/** Returns a function that opens workers' tunnels to `server`. */
export function createTunnelOpener(server: TunnelServer): TunnelOpener {
  return (options) => new TunnelClient(server, options).start();
}

/** The end of a control connection. */
interface ConnectionEnd {
  readonly reason: string;
  readonly isRejected?: boolean;
}

/**
 * The worker's end of its tunnel: a control connection to the server, over which the server requests streams, and one
 * connection for each stream. Disposal ends all of them.
 */
export class TunnelClient implements AsyncDisposable {
  readonly #base: string;
  readonly #proxy: URL | undefined;
  readonly #options: TunnelClientOptions;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #stop = new AbortController();
  readonly #streams = new Map<string, Promise<void>>();
  #done: Promise<void> = Promise.resolve();
  #control: WebSocket | undefined;
  #reconnect = new AbortController();

  constructor(
    { apiUrl, apiKey, proxy }: TunnelServer,
    options: TunnelClientOptions,
  ) {
    this.#base = removeEndSlash(apiUrl);
    this.#proxy = proxy;
    this.#options = options;
    this.#headers = {
      ...(apiKey === undefined ? {} : { "x-api-key": apiKey }),
      ...proofHeaders(options.proof),
    };
  }

  /** Opens the tunnel and keeps it open until disposed. */
  start(): this {
    this.#done = this.#run();
    return this;
  }

  /** Opens the control connection again without a pause, after the server has forgotten it. */
  reconnect(): void {
    this.#reconnect.abort();
    this.#control?.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new DOMException("The worker leaves", "AbortError"));
    this.#control?.terminate();
    await this.#done;
    await Promise.all(this.#streams.values());
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    let failures = 0;
    let isLogged = false;
    while (!signal.aborted) {
      this.#reconnect = new AbortController();
      const startedAt = clock.monotonic();
      const { reason, isRejected } = await this.#connect();
      if (signal.aborted) return;
      const wasUp = clock.monotonic() - startedAt >= MIN_UPTIME_MS;
      failures = wasUp ? 0 : failures + 1;
      if (wasUp || !isLogged) {
        isLogged = true;
        log.warn("Tunnel closed, reconnecting: {reason}", { reason });
      }
      const pauseMs = isRejected ? REJECTED_PAUSE_MS : calculatePause(failures);
      const woken = AbortSignal.any([signal, this.#reconnect.signal]);
      await clock.sleep(pauseMs, woken).catch(() => {});
    }
  }

  /** Holds one control connection until its end. Never rejects. */
  async #connect(): Promise<ConnectionEnd> {
    const url = new URL(this.#resolveUrl().replace(/^http/, "ws"));
    const connection = await this.#connectProxy(url);
    if ("reason" in connection) return connection;
    const control = new WebSocket(url, {
      ...connection,
      headers: this.#headers,
      handshakeTimeout: OPEN_MS,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
    });
    this.#control = control;
    let end: ConnectionEnd | undefined;
    control.on("unexpected-response", (_, { statusCode = 0 }) => {
      end = {
        reason: `the server responds with ${statusCode}`,
        isRejected: statusCode >= 400 && statusCode < 500,
      };
      control.terminate();
    });
    control.on("error", (error) => end ??= { reason: toMessage(error) });
    control.on("open", () => log.info("Tunnel opened"));
    control.on("message", (data) => {
      const message = parseMessage(openMessageSchema, data);
      if (message) this.#openStream(message);
    });
    await using _watch = watchSocket(control, this.#options.clock);
    // `once` of node:events would reject on an error, before the socket is closed.
    await new Promise((resolve) => control.once("close", resolve));
    return end ?? { reason: "the server closed it" };
  }

  /** Returns the options of a WebSocket through the proxy, if there is one, or the reason why it failed. */
  async #connectProxy(url: URL): Promise<ClientOptions | ConnectionEnd> {
    if (!this.#proxy) return {};
    using timeout = deadline(systemClock, OPEN_MS, this.#stop.signal);
    try {
      const socket = await connectViaProxy(this.#proxy, url, timeout.signal);
      const servername = isIP(toSocketHost(url)) ? "" : toSocketHost(url);
      return {
        createConnection: () =>
          url.protocol === "wss:"
            ? connectTls({ socket, servername, ALPNProtocols: ["http/1.1"] })
            : socket,
      };
    } catch (error) {
      return { reason: toMessage(error) };
    }
  }

  /** Opens a stream, unless it is open: a server may repeat its request. */
  #openStream({ stream_id, session_id }: OpenMessage): void {
    if (this.#streams.has(stream_id)) return;
    const stream = this.#serve(stream_id, session_id).finally(() =>
      this.#streams.delete(stream_id)
    );
    this.#streams.set(stream_id, stream);
  }

  /** Never rejects. */
  async #serve(streamId: string, sessionId: string): Promise<void> {
    const address = this.#options.findAddress(sessionId);
    if (!address) {
      return this.#refuse(streamId, "it holds no browser of that session");
    }
    try {
      await serveStream(address, {
        url: new URL(this.#resolveUrl(streamId)),
        proxy: this.#proxy,
        headers: this.#headers,
        signal: this.#stop.signal,
      });
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      log.warn("Stream of session {session_id} failed to open: {error}", {
        session_id: sessionId,
        error,
      });
      this.#refuse(streamId, toMessage(error));
    }
  }

  #refuse(stream_id: string, reason: string): void {
    const message: RefusedMessage = {
      type: "refused",
      stream_id,
      reason: reason.slice(0, MAX_REFUSAL_REASON),
    };
    // Without a control connection the server's request times out.
    if (this.#control?.readyState !== WebSocket.OPEN) return;
    this.#control.send(JSON.stringify(message));
  }

  #resolveUrl(streamId?: string): string {
    return this.#base + renderTunnelPath(this.#options.workerId, streamId);
  }
}

function calculatePause(failures: number): number {
  if (failures < 2) return 0;
  const pause = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** (failures - 2));
  return pause * (0.5 + Math.random() / 2);
}
