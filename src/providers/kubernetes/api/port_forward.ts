/**
 * Connections to ports of pods through the API server.
 *
 * Each connection is a WebSocket with the protocol `v4.channel.k8s.io`. The first byte of a message is its channel: 0 for
 * data, 1 for errors. The first message of each channel has the number of the port. One WebSocket carries one connection,
 * and cannot close one direction only.
 *
 * @see {@link https://github.com/kubernetes/kubernetes/blob/v1.32.0/staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go Kubelet}
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import WebSocket from "ws";
import { createLogger } from "../../../core/log.ts";
import { IMAGE_CDP_PORT } from "../../kit/browser_image.ts";
import { cleanText, toReason } from "./api_error.ts";
import type { KubernetesClient } from "./client.ts";

const log = createLogger("providers", "kubernetes");

const PROTOCOL = "v4.channel.k8s.io";

const DATA = 0;
const ERROR = 1;

/** Bytes that wait for the API server, above which the client's side is paused. */
const MAX_BUFFERED = 1_048_576;

/** Maximum size of a message of the API server. */
const MAX_MESSAGE = 16 * 2 ** 20;

/** Pause between pings, which keep load balancers from ending an idle connection. */
const PING_MS = 30_000;

/** Unix sockets in a private folder, whose connections are forwarded to pods. Only this user can connect. */
export class PortForwards implements AsyncDisposable {
  readonly #client: KubernetesClient;
  readonly #folder: string;
  readonly #open = new Map<string, Forward>();

  private constructor(client: KubernetesClient, folder: string) {
    this.#client = client;
    this.#folder = folder;
  }

  /** Removes the sockets of an earlier process from the folder. */
  static async create(
    client: KubernetesClient,
    folder: string,
  ): Promise<PortForwards> {
    for await (const { name } of Deno.readDir(folder)) {
      await Deno.remove(join(folder, name), { recursive: true });
    }
    return new PortForwards(client, folder);
  }

  /** Listens for a pod and returns the path of the socket. */
  async open(pod: string, sessionId: string): Promise<string> {
    const hash = createHash("sha256").update(`${pod} ${sessionId}`);
    const path = join(this.#folder, hash.digest("hex").slice(0, 16));
    await this.close(pod);
    const forward = new Forward(this.#client, pod, path);
    this.#open.set(pod, forward);
    await forward.listen();
    return path;
  }

  /** Ends the connections to a pod. */
  async close(pod: string): Promise<void> {
    const forward = this.#open.get(pod);
    this.#open.delete(pod);
    await forward?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#open.keys()].map((pod) => this.close(pod)));
    await Deno.remove(this.#folder, { recursive: true }).catch(() => {});
  }
}

/** A socket whose connections are forwarded to one pod. */
class Forward implements AsyncDisposable {
  readonly #client: KubernetesClient;
  readonly #pod: string;
  readonly #path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #running = new Set<Promise<void>>();

  constructor(client: KubernetesClient, pod: string, path: string) {
    this.#client = client;
    this.#pod = pod;
    this.#path = path;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  async listen(): Promise<void> {
    this.#server.listen(this.#path);
    await once(this.#server, "listening");
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    // Until the WebSocket is open.
    socket.pause();
    socket.on("error", () => {});
    const running = forward(this.#client, this.#pod, socket).catch((error) =>
      log.debug("Port-forward to pod {pod} ended: {error}", {
        pod: this.#pod,
        error: toReason(error),
      })
    ).finally(() => {
      socket.destroy();
      this.#sockets.delete(socket);
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#running);
    await closed;
    await Deno.remove(this.#path).catch(() => {});
  }
}

/** Copies between a local socket and a port of a pod until either ends. @throws {Error} The reason of the API server. */
async function forward(
  client: KubernetesClient,
  pod: string,
  local: Socket,
): Promise<void> {
  const { url, options } = await client.portForward(pod, IMAGE_CDP_PORT);
  if (local.destroyed) return;
  const remote = new WebSocket(url, PROTOCOL, {
    ...options,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE,
  });
  const { promise: over, resolve, reject } = Promise.withResolvers<void>();
  local.on("close", () => resolve());
  remote.on("close", () => resolve());
  remote.on("error", reject);
  remote.on("open", () => local.resume());
  local.on("data", (chunk: Uint8Array) => sendData(remote, local, chunk));
  receiveInto(remote, local, reject);
  const ping = setInterval(() => {
    if (remote.readyState === WebSocket.OPEN) remote.ping();
  }, PING_MS);
  try {
    await over;
  } finally {
    clearInterval(ping);
    await terminate(remote);
  }
}

async function terminate(remote: WebSocket): Promise<void> {
  if (remote.readyState === WebSocket.CLOSED) return;
  const closed = once(remote, "close");
  remote.on("error", () => {});
  remote.terminate();
  await closed.catch(() => {});
}

function sendData(remote: WebSocket, local: Socket, chunk: Uint8Array): void {
  const message = Buffer.concat([Buffer.of(DATA), chunk]);
  remote.send(message, () => {
    if (remote.bufferedAmount < MAX_BUFFERED) local.resume();
  });
  if (remote.bufferedAmount >= MAX_BUFFERED) local.pause();
}

/** Writes the data of the pod to the local socket, at its speed. */
function receiveInto(
  remote: WebSocket,
  local: Socket,
  onFailure: (error: Error) => void,
): void {
  const begun = new Set<number>();
  local.on("drain", () => remote.resume());
  remote.on("message", (message) => {
    const bytes = toBytes(message);
    const [channel = ERROR] = bytes;
    if (!begun.has(channel)) {
      // The first message of a channel is the number of the port.
      begun.add(channel);
      return;
    }
    const rest = bytes.subarray(1);
    if (channel === DATA) {
      if (!local.destroyed && !local.write(rest)) remote.pause();
    } else if (rest.length > 0) {
      onFailure(new Error(cleanText(rest.toString())));
    }
  });
}

function toBytes(message: WebSocket.RawData): Buffer {
  if (Array.isArray(message)) return Buffer.concat(message);
  return Buffer.isBuffer(message) ? message : Buffer.from(message);
}
