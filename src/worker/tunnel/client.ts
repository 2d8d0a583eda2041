import { isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import WebSocket, { type ClientOptions } from "ws";
import { type Clock, systemClock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import { toSocketHost } from "../../core/network.ts";
import { removeEndSlash } from "../../core/network.ts";
import { createLogger, toMessage } from "../../core/log.ts";
import { watchSocket } from "../../tunnel/ping.ts";
import {
  MAX_MESSAGE_BYTES,
  type OpenMessage,
  openMessageSchema,
  parseMessage,
  type RefusedMessage,
  renderTunnelPath,
} from "../../tunnel/protocol.ts";
import { proofHeaders, type WorkerProof } from "../../core/worker_proof.ts";
import { connectViaProxy } from "./proxy_connect.ts";
import { type BrowserAddress, serveStream } from "./stream.ts";

const log = createLogger("worker", "tunnel");

/** Longest wait for the server to take the connection. */
const OPEN_MS = 10_000;

/** Pause after the second failure in a row; after the first there is none. */
const MIN_PAUSE_MS = 250;

/** Longest pause between tries. */
const MAX_PAUSE_MS = 5_000;

/** Pause after a refusal, which seldom passes: the server has no gateway, or another key is needed. */
const REJECTED_PAUSE_MS = 60_000;

/** A connection that was up for so long was no failure. */
const MIN_UPTIME_MS = 5_000;

/** What a tunnel needs of its worker. */
export interface TunnelClientOptions {
  readonly workerId: string;
  readonly proof: WorkerProof;
  readonly clock: Clock;
  /** Where the browser of a session listens; undefined: the worker holds none. */
  readonly findAddress: (sessionId: string) => BrowserAddress | undefined;
}

/** A worker's way out to its server. Disposal ends it and every stream. */
export interface TunnelClient extends AsyncDisposable {
  /** Opens it anew: the server has forgotten it. */
  renew(): void;
}

/** Opens a worker's tunnel, and keeps it open until disposed. */
export type TunnelOpener = (parts: TunnelClientOptions) => TunnelClient;

/** Where the tunnel leads, and the key for it. */
export interface TunnelServer {
  readonly apiUrl: string;
  readonly apiKey?: string | undefined;
  /** HTTP proxy for the connection. */
  readonly proxy?: URL | undefined;
}

/** How tunnels to a server are opened. */
export function createTunnelOpener(server: TunnelServer): TunnelOpener {
  return (parts) => new OpenedTunnel(server, parts);
}

/** How a connection has ended. */
interface ConnectionEnd {
  readonly why: string;
  /** The server has refused it. */
  readonly isRefused?: boolean;
}

class OpenedTunnel implements TunnelClient {
  readonly #base: string;
  readonly #proxy: URL | undefined;
  readonly #parts: TunnelClientOptions;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #stop = new AbortController();
  readonly #streams = new Map<string, Promise<void>>();
  readonly #done: Promise<void>;
  #control: WebSocket | undefined;
  #renewed = new AbortController();

  constructor(
    { apiUrl, apiKey, proxy }: TunnelServer,
    parts: TunnelClientOptions,
  ) {
    this.#base = removeEndSlash(apiUrl);
    this.#proxy = proxy;
    this.#parts = parts;
    this.#headers = {
      ...(apiKey === undefined ? {} : { "x-api-key": apiKey }),
      ...proofHeaders(parts.proof),
    };
    this.#done = this.#run();
  }

  renew(): void {
    this.#renewed.abort();
    this.#control?.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new DOMException("The worker leaves", "AbortError"));
    this.#control?.terminate();
    await this.#done;
    await Promise.all(this.#streams.values());
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#stop;
    let failures = 0;
    let isTold = false;
    while (!signal.aborted) {
      this.#renewed = new AbortController();
      const startedAt = clock.monotonic();
      const { why, isRefused } = await this.#connect();
      if (signal.aborted) return;
      const isGood = clock.monotonic() - startedAt >= MIN_UPTIME_MS;
      failures = isGood ? 0 : failures + 1;
      if (isGood || !isTold) {
        isTold = true;
        log.warn("The tunnel is closed, tries go on: {why}", { why });
      }
      const pauseMs = isRefused ? REJECTED_PAUSE_MS : calculatePause(failures);
      const waked = AbortSignal.any([signal, this.#renewed.signal]);
      await clock.sleep(pauseMs, waked).catch(() => {});
    }
  }

  /** Holds one connection to its end. Never rejects; resolves with why it has ended. */
  async #connect(): Promise<ConnectionEnd> {
    const { clock } = this.#parts;
    const url = new URL(this.#resolveUrl().replace(/^http/, "ws"));
    const through = await this.#connectProxy(url);
    if ("why" in through) return through;
    const control = new WebSocket(url, {
      ...through,
      headers: this.#headers,
      handshakeTimeout: OPEN_MS,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
    });
    this.#control = control;
    let ended: ConnectionEnd | undefined;
    control.on("unexpected-response", (_, { statusCode = 0 }) => {
      ended = {
        why: `the server answers ${statusCode}`,
        isRefused: statusCode >= 400 && statusCode < 500,
      };
      control.terminate();
    });
    control.on("error", (error) => ended ??= { why: toMessage(error) });
    control.on("open", () => log.info("The tunnel is open"));
    control.on("message", (data) => {
      const message = parseMessage(openMessageSchema, data);
      if (message) this.#open(message);
    });
    await using _watch = watchSocket(control, clock);
    // Not by `once` of node:events, which an error would end before the socket is closed.
    await new Promise((resolve) => control.once("close", resolve));
    return ended ?? { why: "the server has closed it" };
  }

  /** Returns the options of a WebSocket through the proxy, if there is one, or the reason why it failed. */
  async #connectProxy(url: URL): Promise<ClientOptions | ConnectionEnd> {
    if (!this.#proxy) return {};
    using patience = deadline(systemClock, OPEN_MS, this.#stop.signal);
    try {
      const socket = await connectViaProxy(this.#proxy, url, patience.signal);
      const servername = isIP(toSocketHost(url)) ? "" : toSocketHost(url);
      return {
        createConnection: () =>
          url.protocol === "wss:"
            ? connectTls({ socket, servername, ALPNProtocols: ["http/1.1"] })
            : socket,
      };
    } catch (error) {
      return { why: toMessage(error) };
    }
  }

  /** Begins a stream, unless it is asked for again by a server that has not heard of it. */
  #open({ stream_id, session_id }: OpenMessage): void {
    if (this.#streams.has(stream_id)) return;
    const stream = this.#serve(stream_id, session_id).finally(() =>
      this.#streams.delete(stream_id)
    );
    this.#streams.set(stream_id, stream);
  }

  /** Never rejects. */
  async #serve(streamId: string, sessionId: string): Promise<void> {
    const endpoint = this.#parts.findAddress(sessionId);
    if (!endpoint) {
      return this.#reject(streamId, "it holds no browser of that session");
    }
    try {
      await serveStream(endpoint, {
        url: new URL(this.#resolveUrl(streamId)),
        proxy: this.#proxy,
        headers: this.#headers,
        signal: this.#stop.signal,
      });
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      log.warn("Cannot open a stream of session {session_id}: {error}", {
        session_id: sessionId,
        error,
      });
      this.#reject(streamId, toMessage(error));
    }
  }

  #reject(stream_id: string, reason: string): void {
    const message: RefusedMessage = {
      type: "refused",
      stream_id,
      reason: reason.slice(0, 1_000),
    };
    // While it is closed the server waits in vain, but not for long.
    if (this.#control?.readyState !== WebSocket.OPEN) return;
    this.#control.send(JSON.stringify(message));
  }

  #resolveUrl(streamId?: string): string {
    return this.#base + renderTunnelPath(this.#parts.workerId, streamId);
  }
}

function calculatePause(failures: number): number {
  if (failures < 2) return 0;
  const pause = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** (failures - 2));
  return pause * (0.5 + Math.random() / 2);
}
