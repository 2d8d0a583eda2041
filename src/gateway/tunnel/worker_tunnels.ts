import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { RawData, WebSocket, WebSocketServer } from "ws";
import type { WorkerManager } from "../../apps/workers/manager.ts";
import type { Core } from "../../core/app.ts";
import { deadline } from "../../async/deadline.ts";
import { KeyedQueue } from "../../async/keyed_queue.ts";
import { createLogger, describeError } from "../../core/log.ts";
import { watchSocket } from "../../tunnel/ping.ts";
import {
  MAX_MESSAGE_BYTES,
  type OpenMessage,
  parseMessage,
  refusedMessageSchema,
} from "../../tunnel/protocol.ts";
import {
  type HashedProof,
  type WorkerCaller,
  wrongWorkerSecret,
} from "../../http/auth/worker_caller.ts";

const log = createLogger("gateway", "tunnels");

/** Timeout of a worker's dial-back, long enough for a busy host. */
export const DIAL_BACK_MS = 25_000;

/** Timeout of the wait for a disconnected tunnel, and for another server to accept a stream. */
export const RECONNECT_MS = 5_000;

/** Type of the bus event for a tunnel that has been opened to this server. */
export const TUNNEL_OPENED = "tunnel_opened";

/** A worker's request to open its tunnel. */
export interface TunnelRequest {
  readonly workerId: string;
  readonly caller: WorkerCaller;
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Uint8Array;
}

/** A tunnel that is open to this server. */
interface OpenTunnel {
  readonly control: WebSocket;
  readonly proof: HashedProof;
}

/** A stream that has been requested from a worker. */
interface PendingStream extends OpenMessage {
  readonly workerId: string;
  /** Proof of the worker process that has received the last request. */
  proof?: HashedProof;
  readonly resolve: (stream: Duplex) => void;
  readonly reject: (reason: Error) => void;
}

/** The tunnels that workers have opened to this server, and the streams that have been requested from them. Disposal closes all tunnels. */
export class WorkerTunnels implements AsyncDisposable {
  readonly #core: Core;
  readonly #workers: WorkerManager;
  #sockets: WebSocketServer | undefined;
  /** Control connections by worker. */
  readonly #open = new Map<string, OpenTunnel>();
  /** Pending streams by id. */
  readonly #pending = new Map<string, PendingStream>();
  /** One promise for each control connection, until its end is recorded. */
  readonly #serving = new Set<Promise<void>>();
  /** Writes to the database, in order for each worker. */
  readonly #writes = new KeyedQueue();

  constructor(core: Core, workers: WorkerManager) {
    this.#core = core;
    this.#workers = workers;
  }

  /** Reports whether a worker has a tunnel to this server. */
  has(workerId: string): boolean {
    return this.#open.has(workerId);
  }

  /**
   * Accepts a worker's tunnel, which replaces an older one. One round trip.
   *
   * @throws {GridError} `unauthorized`, `worker_not_found`, `worker_replaced` - the caller is not the current process
   * of
   *   the worker.
   */
  async accept(request: TunnelRequest): Promise<void> {
    const { workerId, caller } = request;
    const url = this.#core.replicaUrl();
    const sockets = await this.#loadSockets();
    await this.#writes.run(workerId, async () => {
      await this.#workers.recordTunnelOpened(workerId, url, caller);
      if (this.#upgrade(request, sockets) || this.has(workerId)) return;
      await this.#workers.recordTunnelClosed(workerId, url);
    });
  }

  /**
   * Opens a stream to the browser of a session that the worker holds. The caller closes it.
   *
   * @throws {Error} The worker does not dial back in time, rejects the stream, or `signal` is aborted.
   */
  async openStream(
    { workerId, sessionId }: {
      readonly workerId: string;
      readonly sessionId: string;
    },
    signal: AbortSignal,
  ): Promise<Duplex> {
    const waitMs = this.has(workerId) ? DIAL_BACK_MS : RECONNECT_MS;
    using timeout = deadline(this.#core.clock, waitMs, signal);
    timeout.signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    const onAbort = () => reject(timeout.signal.reason);
    timeout.signal.addEventListener("abort", onAbort);
    const pending: PendingStream = {
      type: "open",
      stream_id: crypto.getRandomValues(new Uint8Array(16)).toHex(),
      session_id: sessionId,
      workerId,
      resolve,
      reject,
    };
    this.#pending.set(pending.stream_id, pending);
    try {
      // If the tunnel is disconnected, the request is sent when it is open again.
      this.#requestStream(pending);
      return await promise;
    } finally {
      this.#pending.delete(pending.stream_id);
      timeout.signal.removeEventListener("abort", onAbort);
    }
  }

  /**
   * Returns the function that resolves a pending stream with the connection that the worker has dialled back, and
   * removes the stream; undefined if no such stream is pending.
   *
   * @param caller Worker that has dialled back; undefined if another server of the grid has verified it.
   * @throws {GridError} `unauthorized` - the caller is not the process that opened the tunnel.
   */
  takePending(
    workerId: string,
    streamId: string,
    caller?: WorkerCaller,
  ): ((stream: Duplex) => void) | undefined {
    const pending = this.#pending.get(streamId);
    if (pending?.workerId !== workerId) return undefined;
    if (caller && !isSameProof(caller.proof, pending.proof)) {
      throw wrongWorkerSecret("take the stream of", workerId);
    }
    this.#pending.delete(streamId);
    return pending.resolve;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { control } of this.#open.values()) control.terminate();
    await Promise.all([...this.#serving, this.#writes.settled()]);
  }

  /** Loads the library at the first tunnel: a server may have none. */
  async #loadSockets(): Promise<WebSocketServer> {
    const { WebSocketServer } = await import("ws");
    return this.#sockets ??= new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
    });
  }

  /** Upgrades the socket. Returns false if it is closed or its handshake is invalid. */
  #upgrade(
    { workerId, caller, request, socket, head }: TunnelRequest,
    sockets: WebSocketServer,
  ): boolean {
    let control: WebSocket | undefined;
    if (this.#core.stopping.aborted) socket.destroy();
    if (socket.destroyed) return false;
    sockets.handleUpgrade(
      request,
      socket,
      Buffer.from(head),
      (opened) => {
        control = opened;
        const { proof } = caller;
        const serving = this.#serve(workerId, { control: opened, proof });
        this.#serving.add(serving);
        void serving.finally(() => this.#serving.delete(serving));
      },
    );
    return control !== undefined;
  }

  #requestStream(pending: PendingStream): void {
    const { type, stream_id, session_id, workerId } = pending;
    const message: OpenMessage = { type, stream_id, session_id };
    const tunnel = this.#open.get(workerId);
    if (!tunnel) return;
    pending.proof = tunnel.proof;
    tunnel.control.send(JSON.stringify(message));
  }

  /** Serves a control connection until it is closed and its end is recorded. Never rejects. */
  async #serve(workerId: string, tunnel: OpenTunnel): Promise<void> {
    const { control } = tunnel;
    const { clock, bus, replicaUrl } = this.#core;
    const closed = new Promise((resolve) => control.once("close", resolve));
    control.on("error", () => control.terminate());
    control.on("message", (data) => this.#receive(workerId, data));
    this.#open.get(workerId)?.control.terminate();
    this.#open.set(workerId, tunnel);
    log.info("Tunnel opened", { worker_id: workerId });
    for (const pending of this.#pending.values()) {
      if (pending.workerId === workerId) this.#requestStream(pending);
    }
    bus.publish({ type: TUNNEL_OPENED, subject: workerId });
    const watch = watchSocket(control, clock);
    await closed;
    await watch[Symbol.asyncDispose]();
    if (this.#open.get(workerId) === tunnel) this.#open.delete(workerId);
    log.info("Tunnel closed", { worker_id: workerId });
    await this.#writes.run(workerId, async () => {
      if (this.has(workerId)) return;
      await this.#workers.recordTunnelClosed(workerId, replicaUrl());
    }).catch((error: unknown) =>
      log.warn("Tunnel end record failed: {error}", {
        worker_id: workerId,
        error: describeError(error),
      })
    );
  }

  #receive(workerId: string, data: RawData): void {
    const refused = parseMessage(refusedMessageSchema, data);
    const pending = refused && this.#pending.get(refused.stream_id);
    if (!refused || pending?.workerId !== workerId) return;
    pending.reject(
      new Error(`The worker rejects the stream: ${refused.reason}`),
    );
  }
}

function isSameProof(
  received: HashedProof,
  expected: HashedProof | undefined,
): boolean {
  return received.secretHash === expected?.secretHash &&
    received.instanceId === expected.instanceId;
}
