import type { Clock } from "../../async/clock.ts";
import { createLogger, toMessage } from "../../core/log.ts";
import { removeEndSlash } from "../../core/text.ts";
import { proofHeaders, type WorkerProof } from "../../core/worker_proof.ts";
import { type OpenMessage, renderTunnelPath } from "../../tunnel/protocol.ts";
import { ControlConnection } from "./control_connection.ts";
import { type BrowserAddress, serveStream } from "./stream.ts";

const log = createLogger("worker", "tunnel");

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
  return (options) => {
    const client = new TunnelClient(server, options);
    client.start();
    return client;
  };
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
  #control: ControlConnection | undefined;
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
  start(): void {
    this.#done = this.#run();
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
      const control = this.#createControl();
      this.#control = control;
      const startedAt = clock.monotonic();
      const { reason, isRejected } = await control.run();
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

  #createControl(): ControlConnection {
    return new ControlConnection({
      url: this.#resolveUrl(),
      proxy: this.#proxy,
      headers: this.#headers,
      clock: this.#options.clock,
      onOpen: (message) => this.#openStream(message),
    });
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
      const reason = "it holds no browser of that session";
      return this.#control?.refuse(streamId, reason);
    }
    try {
      await serveStream(address, {
        url: this.#resolveUrl(streamId),
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
      this.#control?.refuse(streamId, toMessage(error));
    }
  }

  #resolveUrl(streamId?: string): URL {
    const path = renderTunnelPath(this.#options.workerId, streamId);
    return new URL(this.#base + path);
  }
}

function calculatePause(failures: number): number {
  if (failures < 2) return 0;
  const pause = Math.min(MAX_PAUSE_MS, MIN_PAUSE_MS * 2 ** (failures - 2));
  return pause * (0.5 + Math.random() / 2);
}
