import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** Constant of the handshake. @see {@link https://www.rfc-editor.org/rfc/rfc6455#section-1.3 RFC 6455, 1.3} */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** A browser that is only a socket: it sends back what it gets, unless a test takes its sockets over. */
export interface Upstream extends AsyncDisposable {
  /** For a session's report. */
  readonly endpoint: string;
  readonly port: number;
  /** Sockets after their handshake, oldest first. */
  readonly sockets: readonly Socket[];
  /** The last handshake. */
  lastRequest(): IncomingMessage | undefined;
}

/** How an upstream behaves. */
export interface UpstreamOptions {
  /** Takes a socket over after the handshake. @default Sends back every byte. */
  readonly onSocket?: (socket: Socket) => void;
  /** Sent with the handshake's answer, at once. */
  readonly greeting?: Uint8Array;
  /** Answer to every request, in place of a browser's. */
  readonly answer?: string;
}

/** Starts an upstream on a free port. */
export async function startUpstream(
  {
    onSocket = (socket) => socket.pipe(socket),
    greeting,
    answer,
  }: UpstreamOptions = {},
): Promise<Upstream> {
  const sockets: Socket[] = [];
  let last: IncomingMessage | undefined;
  const server = createServer((request, response) => {
    const own = `127.0.0.1:${port}`;
    const target = {
      id: "PAGE",
      type: "page",
      devtoolsFrontendUrl: `/devtools/inspector.html?ws=${own}/devtools/page/1`,
      webSocketDebuggerUrl: `ws://${own}/devtools/page/PAGE`,
    };
    response.setHeader("content-type", "application/json");
    if (answer !== undefined) return void response.end(answer);
    response.end(JSON.stringify(
      request.url === "/json/version"
        ? {
          Browser: "Chrome/1",
          webSocketDebuggerUrl: `ws://${own}/devtools/browser/x`,
        }
        : [target],
    ));
  });
  server.on("upgrade", (request, socket: Socket) => {
    last = request;
    const key = request.headers["sec-websocket-key"];
    const accept = createHash("sha1").update(`${key}${GUID}`).digest("base64");
    const protocol = request.headers["sec-websocket-protocol"];
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
        `Connection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n` +
        (protocol ? `Sec-WebSocket-Protocol: ${protocol}\r\n` : "") + "\r\n",
    );
    if (greeting) socket.write(greeting);
    socket.on("error", () => socket.destroy());
    sockets.push(socket);
    onSocket(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // A TCP server's address is never text.
  return {
    endpoint: `ws://127.0.0.1:${port}/devtools/browser/x`,
    port,
    sockets,
    lastRequest: () => last,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
