import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import type { WorkerManager } from "../../apps/workers/manager.ts";
import type { Core } from "../../core/app.ts";
import { deadline } from "../../async/deadline.ts";
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

/** Timeout of a worker's dial-back. Long, because its host may be busy. */
export const DIAL_BACK_MS = 25_000;

/** Timeout of the wait for a disconnected tunnel, and for another server to accept a stream. */
export const RECONNECT_MS = 5_000;

/** Type of the bus's event when a worker has opened its tunnel to this server. */
export const TUNNEL_OPENED = "tunnel_opened";

/** A worker that asks for its tunnel to be opened. */
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

/** A stream that its worker has been asked for. */
interface PendingStream extends OpenMessage {
  readonly workerId: string;
  /** Proof of the worker's process that was asked last. */
  proof?: HashedProof;
  readonly resolve: (stream: Duplex) => void;
  readonly reject: (why: Error) => void;
}

/** The tunnels that workers have opened to this server, and the streams that they are asked for. */
export class WorkerTunnels {
  readonly #core: Core;
  readonly #workers: WorkerManager;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  /** Control connections by worker. */
  readonly #open = new Map<string, OpenTunnel>();
  /** By id. */
  readonly #pending = new Map<string, PendingStream>();
  /** Control connections that are being held, and what is being written of them. */
  readonly #serving = new Set<Promise<void>>();
  /** The last write of each worker: they must not overtake each other. */
  readonly #writes = new Map<string, Promise<void>>();

  constructor(core: Core, workers: WorkerManager) {
    this.#core = core;
    this.#workers = workers;
  }

  /** Whether a worker's tunnel leads here. */
  has(workerId: string): boolean {
    return this.#open.has(workerId);
  }

  /**
   * Takes a worker's tunnel, in place of an older one. One round trip.
   *
   * @throws {GridError} `unauthorized`, `worker_not_found`, `worker_replaced` — it is not that worker, or not its present process.
   */
  async accept(arrival: TunnelRequest): Promise<void> {
    const { workerId, caller } = arrival;
    const url = this.#core.replicaUrl();
    await this.#serialize(workerId, async () => {
      await this.#workers.recordTunnelOpened(workerId, url, caller);
      if (this.#upgrade(arrival) || this.has(workerId)) return;
      await this.#workers.recordTunnelClosed(workerId, url);
    });
  }

  /**
   * Opens a stream to the browser of a session that the worker holds. Whoever gets it ends it.
   *
   * @throws {Error} When the worker does not dial back in time, refuses, or `signal` is aborted.
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
    const giveUp = () => reject(timeout.signal.reason);
    timeout.signal.addEventListener("abort", giveUp);
    const awaited: PendingStream = {
      type: "open",
      stream_id: crypto.getRandomValues(new Uint8Array(16)).toHex(),
      session_id: sessionId,
      workerId,
      resolve,
      reject,
    };
    this.#pending.set(awaited.stream_id, awaited);
    try {
      // If its tunnel is away, it is asked when it comes back.
      this.#requestStream(awaited);
      return await promise;
    } finally {
      this.#pending.delete(awaited.stream_id);
      timeout.signal.removeEventListener("abort", giveUp);
    }
  }

  /**
   * Returns the receiver of the stream that a worker dials back with, once; undefined if there is none.
   *
   * @param caller Worker that dialled back; undefined if another server of the grid has verified it.
   * @throws {GridError} `unauthorized` — the caller is not the process that opened the tunnel.
   */
  takePending(
    workerId: string,
    streamId: string,
    caller?: WorkerCaller,
  ): ((stream: Duplex) => void) | undefined {
    const awaited = this.#pending.get(streamId);
    if (awaited?.workerId !== workerId) return undefined;
    if (caller && !isSameProof(caller.proof, awaited.proof)) {
      throw wrongWorkerSecret("take the stream of", workerId);
    }
    this.#pending.delete(streamId);
    return awaited.resolve;
  }

  /** Ends every tunnel when it is disposed. */
  start(): AsyncDisposable {
    return {
      [Symbol.asyncDispose]: async () => {
        for (const { control } of this.#open.values()) control.terminate();
        await Promise.all([...this.#serving, ...this.#writes.values()]);
      },
    };
  }

  /** False: it has gone meanwhile, or its handshake is none. */
  #upgrade(
    { workerId, caller, request, socket, head }: TunnelRequest,
  ): boolean {
    let control: WebSocket | undefined;
    if (this.#core.stopping.aborted) socket.destroy();
    if (socket.destroyed) return false;
    this.#sockets.handleUpgrade(
      request,
      socket,
      Buffer.from(head),
      (opened) => {
        control = opened;
        const { proof } = caller;
        const held = this.#serve(workerId, { control: opened, proof });
        this.#serving.add(held);
        void held.finally(() => this.#serving.delete(held));
      },
    );
    return control !== undefined;
  }

  #requestStream(awaited: PendingStream): void {
    const { type, stream_id, session_id, workerId } = awaited;
    const message: OpenMessage = { type, stream_id, session_id };
    const tunnel = this.#open.get(workerId);
    if (!tunnel) return;
    awaited.proof = tunnel.proof;
    tunnel.control.send(JSON.stringify(message));
  }

  /** Never rejects. */
  async #serve(workerId: string, tunnel: OpenTunnel): Promise<void> {
    const { control } = tunnel;
    const { clock, bus, replicaUrl } = this.#core;
    const closed = new Promise((resolve) => control.once("close", resolve));
    control.on("error", () => control.terminate());
    control.on("message", (data) => this.#receive(workerId, data));
    this.#open.get(workerId)?.control.terminate();
    this.#open.set(workerId, tunnel);
    log.info("A worker has opened its tunnel", { worker_id: workerId });
    for (const awaited of this.#pending.values()) {
      if (awaited.workerId === workerId) this.#requestStream(awaited);
    }
    bus.publish({ type: TUNNEL_OPENED, subject: workerId });
    const watch = watchSocket(control, clock);
    await closed;
    await watch[Symbol.asyncDispose]();
    if (this.#open.get(workerId) === tunnel) this.#open.delete(workerId);
    log.info("A worker's tunnel is closed", { worker_id: workerId });
    await this.#serialize(workerId, async () => {
      if (this.has(workerId)) return;
      await this.#workers.recordTunnelClosed(workerId, replicaUrl());
    }).catch((error: unknown) =>
      log.warn("Cannot enter that a tunnel is closed: {error}", {
        worker_id: workerId,
        error: describeError(error),
      })
    );
  }

  #receive(workerId: string, data: RawData): void {
    const refused = parseMessage(refusedMessageSchema, data);
    const awaited = refused && this.#pending.get(refused.stream_id);
    if (!refused || awaited?.workerId !== workerId) return;
    awaited.reject(new Error(`The worker refuses: ${refused.reason}`));
  }

  async #serialize(
    workerId: string,
    write: () => Promise<void>,
  ): Promise<void> {
    const before = this.#writes.get(workerId);
    const turn = (before ?? Promise.resolve()).then(write);
    const settled = turn.catch(() => {}).then(() => {
      if (this.#writes.get(workerId) === settled) {
        this.#writes.delete(workerId);
      }
    });
    this.#writes.set(workerId, settled);
    await turn;
  }
}

function isSameProof(shown: HashedProof, asked: HashedProof | undefined) {
  return shown.secretHash === asked?.secretHash &&
    shown.instanceId === asked.instanceId;
}
