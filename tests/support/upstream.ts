import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** Constant of the handshake. @see {@link https://www.rfc-editor.org/rfc/rfc6455#section-1.3 RFC 6455, 1.3} */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Head of a request as it came. */
export interface UpstreamRequest {
  readonly path: string;
  /** With the names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

/** A browser that is only a socket: it sends back what it gets, unless a test takes its sockets over. */
export interface Upstream extends AsyncDisposable {
  /** For a session's report. */
  readonly endpoint: string;
  readonly port: number;
  /** Sockets after their handshake, oldest first, those that are closed too. */
  readonly sockets: readonly Socket[];
  /** How many sockets of any kind are open. */
  openSockets(): number;
  /** The last handshake. */
  lastRequest(): UpstreamRequest | undefined;
}

/** How an upstream behaves. */
export interface UpstreamOptions {
  /**
   * Takes a socket over after the handshake; it may stop reading, flood or destroy it.
   *
   * @default Sends back every byte.
   */
  readonly onSocket?: (socket: Socket) => void;
  /** Sent with the handshake's answer, in one piece. */
  readonly greeting?: Uint8Array;
  /** The handshake is answered once this has resolved; until then the client waits. */
  readonly handshake?: (socket: Socket) => Promise<void> | void;
  /** Answers every request, in place of what a browser would answer: a status line, headers, body. */
  readonly answer?: string;
}

/** Starts an upstream on a free port. Disposal destroys every socket. */
export async function startUpstream(
  options: UpstreamOptions = {},
): Promise<Upstream> {
  const open = new Set<Socket>();
  const sockets: Socket[] = [];
  let last: UpstreamRequest | undefined;
  const server = createServer({ noDelay: true }, (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
    onHead(socket, (request) => void serve(socket, request));
  });
  async function serve(socket: Socket, request: UpstreamRequest) {
    const key = request.headers.get("sec-websocket-key");
    if (key !== undefined) last = request;
    await options.handshake?.(socket);
    if (key === undefined || options.answer !== undefined) {
      socket.end(options.answer ?? described(request.path, port));
      return;
    }
    socket.write(
      Buffer.concat([
        accepted(key, request),
        options.greeting ?? new Uint8Array(),
      ]),
    );
    sockets.push(socket);
    const { onSocket = echo } = options;
    onSocket(socket);
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // A TCP server's address is never text.
  return {
    endpoint: `ws://127.0.0.1:${port}/devtools/browser/x`,
    port,
    sockets,
    openSockets: () => open.size,
    lastRequest: () => last,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

function echo(socket: Socket): void {
  socket.pipe(socket);
}

/** Reads a request's head; what comes after it stays in the socket. */
function onHead(
  socket: Socket,
  listener: (request: UpstreamRequest) => void,
): void {
  let bytes = Buffer.alloc(0);
  socket.on("data", function onData(chunk: Uint8Array) {
    bytes = Buffer.concat([bytes, chunk]);
    const end = bytes.indexOf("\r\n\r\n");
    if (end < 0) return;
    socket.off("data", onData);
    socket.pause();
    const rest = bytes.subarray(end + 4);
    if (rest.length > 0) socket.unshift(rest);
    const text = bytes.toString("latin1", 0, end);
    const [line = "", ...lines] = text.split("\r\n");
    const headers = new Map(lines.map((each) => {
      const [name = "", ...value] = each.split(":");
      return [name.toLowerCase(), value.join(":").trim()];
    }));
    listener({ path: line.split(" ")[1] ?? "", headers, text });
  });
}

function accepted(key: string, { headers }: UpstreamRequest): Uint8Array {
  const accept = createHash("sha1").update(key + GUID).digest("base64");
  const agreed = ["sec-websocket-protocol", "sec-websocket-extensions"]
    .flatMap((name) => {
      const value = headers.get(name);
      return value === undefined ? [] : [`${name}: ${value}\r\n`];
    });
  return Buffer.from(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
      `Connection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n` +
      `${agreed.join("")}\r\n`,
  );
}

/** Answers as Chrome's HTTP endpoints do. */
function described(path: string, port: number): string {
  const own = `127.0.0.1:${port}`;
  const version = {
    Browser: "Chrome/1",
    webSocketDebuggerUrl: `ws://${own}/devtools/browser/x`,
  };
  const target = {
    id: "PAGE",
    type: "page",
    devtoolsFrontendUrl: `/devtools/inspector.html?ws=${own}/devtools/page/1`,
    webSocketDebuggerUrl: `ws://${own}/devtools/page/PAGE`,
  };
  const body = JSON.stringify(path === "/json/version" ? version : [target]);
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" +
    `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}
