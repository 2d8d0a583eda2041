import { isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import WebSocket, { type ClientOptions } from "ws";
import { type Clock, systemClock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import { createLogger, toMessage } from "../../core/log.ts";
import { toSocketHost } from "../../core/network.ts";
import { watchSocket } from "../../tunnel/ping.ts";
import {
  MAX_MESSAGE_BYTES,
  MAX_REFUSAL_REASON,
  type OpenMessage,
  openMessageSchema,
  parseMessage,
  type RefusedMessage,
} from "../../tunnel/protocol.ts";
import { connectViaProxy } from "./proxy_connect.ts";

const log = createLogger("worker", "tunnel");

/** Timeout of the server's acceptance of the connection. */
const OPEN_MS = 10_000;

/** Options of a {@linkcode ControlConnection}. */
export interface ControlConnectionOptions {
  /** URL of the tunnel, with the protocol http: or https:. */
  readonly url: URL;
  /** HTTP proxy for the connection. */
  readonly proxy?: URL | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** Called when the server requests a stream. */
  readonly onOpen: (message: OpenMessage) => void;
}

/** The end of a control connection. */
export interface ConnectionEnd {
  readonly reason: string;
  /** True if the server rejected the connection with a status from 400 to 499. */
  readonly isRejected: boolean;
}

/** One control connection of a worker's tunnel: a WebSocket over which the server requests streams. */
export class ControlConnection {
  readonly #options: ControlConnectionOptions;
  readonly #stop = new AbortController();
  #socket: WebSocket | undefined;
  #end: ConnectionEnd | undefined;

  constructor(options: ControlConnectionOptions) {
    this.#options = options;
  }

  /** Opens the connection and resolves when it has ended. Never rejects. */
  async run(): Promise<ConnectionEnd> {
    const url = new URL(this.#options.url.href.replace(/^http/, "ws"));
    try {
      const transport = await this.#connectProxy(url);
      this.#stop.signal.throwIfAborted();
      await this.#hold(url, transport);
    } catch (error) {
      this.#end ??= { reason: toMessage(error), isRejected: false };
    }
    return this.#end ?? { reason: "the server closed it", isRejected: false };
  }

  /** Ends the connection. */
  terminate(): void {
    this.#stop.abort(new Error("it was ended"));
    this.#socket?.terminate();
  }

  /** Informs the server that the worker opens no connection for a stream. */
  refuse(stream_id: string, reason: string): void {
    const message: RefusedMessage = {
      type: "refused",
      stream_id,
      reason: reason.slice(0, MAX_REFUSAL_REASON),
    };
    // If the connection is closed, the server's request times out.
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify(message));
  }

  async #hold(url: URL, transport: ClientOptions): Promise<void> {
    const { headers, clock, onOpen } = this.#options;
    const socket = new WebSocket(url, {
      ...transport,
      headers,
      handshakeTimeout: OPEN_MS,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    socket.on("unexpected-response", (_, { statusCode = 0 }) => {
      this.#end = {
        reason: `the server responds with ${statusCode}`,
        isRejected: statusCode >= 400 && statusCode < 500,
      };
      socket.terminate();
    });
    socket.on("error", (error) => {
      this.#end ??= { reason: toMessage(error), isRejected: false };
    });
    socket.on("open", () => log.info("Tunnel opened"));
    socket.on("message", (data) => {
      const message = parseMessage(openMessageSchema, data);
      if (message) onOpen(message);
    });
    await using _watch = watchSocket(socket, clock);
    // `once` of node:events would reject on an error, before the socket is closed.
    await new Promise((resolve) => socket.once("close", resolve));
  }

  /** Returns the options of a WebSocket through the proxy, if there is one. @throws {Error} If the proxy fails. */
  async #connectProxy(url: URL): Promise<ClientOptions> {
    const { proxy } = this.#options;
    if (!proxy) return {};
    using timeout = deadline(systemClock, OPEN_MS, this.#stop.signal);
    const socket = await connectViaProxy(proxy, url, timeout.signal);
    const host = toSocketHost(url);
    const servername = isIP(host) ? "" : host;
    return {
      createConnection: () =>
        url.protocol === "wss:"
          ? connectTls({ socket, servername, ALPNProtocols: ["http/1.1"] })
          : socket,
    };
  }
}
