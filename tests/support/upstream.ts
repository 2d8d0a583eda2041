import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** Constant of the handshake. @see {@link https://www.rfc-editor.org/rfc/rfc6455#section-1.3 RFC 6455, 1.3} */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** A browser that is only a socket: it sends back what it gets, unless a test takes its sockets over. */
export interface Upstream extends AsyncDisposable {
  /** For a session's report. */
  readonly endpoint: string;
  readonly port: number;
  /** Sockets that requested a handshake, oldest first. */
  readonly sockets: readonly Socket[];
  /** Method and target of every request and handshake, oldest first. */
  readonly asked: readonly string[];
  /** The last handshake. */
  lastRequest(): IncomingMessage | undefined;
}

/** Behaviour of an upstream. */
export interface UpstreamOptions {
  /** Takes a socket over after the handshake. @default Sends back every byte. */
  readonly onSocket?: (socket: Socket) => void;
  /** Sent with the handshake's answer, at once. */
  readonly greeting?: Uint8Array;
  /** Value of `Sec-WebSocket-Extensions` in the handshake's answer. */
  readonly extensions?: string;
  /** Answer to every request, in place of a browser's. */
  readonly answer?: string;
  /** Answer to the question for its pages. */
  readonly targets?: string;
  /** Address to which every request and handshake is forwarded. */
  readonly redirect?: string;
  /** Called for each handshake, which is completed when it resolves; false: never. */
  readonly onHandshake?: () => boolean | Promise<boolean>;
  /** Called for each request, which then gets no response. */
  readonly onRequest?: () => void;
  /** Takes over a WebSocket to the one page, "PAGE"; by default there is none but the browser's. */
  readonly page?: (socket: WebSocket) => void;
}

/** Starts an upstream on a free port. */
export async function startUpstream(
  {
    onSocket = (socket) => socket.pipe(socket),
    greeting,
    extensions,
    answer,
    targets,
    page,
    redirect,
    onHandshake,
    onRequest,
  }: UpstreamOptions = {},
): Promise<Upstream> {
  const sockets: Socket[] = [];
  const asked: string[] = [];
  const pages = new WebSocketServer({ noServer: true });
  let last: IncomingMessage | undefined;
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    if (onRequest) return onRequest();
    const [status, body] = chromeAnswer(request, `127.0.0.1:${port}`);
    if (redirect) {
      return void response.writeHead(307, { location: redirect }).end();
    }
    response.setHeader("content-type", "application/json; charset=UTF-8");
    const isList = request.url?.startsWith("/json/list");
    const given = answer ?? (isList ? targets : undefined);
    response.statusCode = given === undefined ? status : 200;
    response.end(given ?? body);
  });
  server.on("upgrade", async (request, socket: Socket) => {
    last = request;
    asked.push(`${request.method} ${request.url}`);
    if (redirect) {
      sockets.push(socket);
      const head = `HTTP/1.1 307 Elsewhere\r\nLocation: ${redirect}\r\n`;
      return void socket.end(`${head}Content-Length: 0\r\n\r\n`);
    }
    if (page && request.url?.startsWith("/devtools/page/")) {
      sockets.push(socket);
      if (request.url.endsWith("/PAGE")) {
        pages.handleUpgrade(request, socket, Buffer.alloc(0), page);
      } else socket.end("HTTP/1.1 500 Internal Server Error\r\n\r\n");
      return;
    }
    sockets.push(socket);
    if (onHandshake && !await onHandshake()) return;
    const key = request.headers["sec-websocket-key"];
    const accept = createHash("sha1").update(`${key}${GUID}`).digest("base64");
    const protocol = request.headers["sec-websocket-protocol"];
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
        `Connection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n` +
        (extensions ? `Sec-WebSocket-Extensions: ${extensions}\r\n` : "") +
        (protocol ? `Sec-WebSocket-Protocol: ${protocol}\r\n` : "") + "\r\n",
    );
    if (greeting) socket.write(greeting);
    socket.on("error", () => socket.destroy());
    onSocket(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // A TCP server's address is never text.
  return {
    endpoint: `ws://127.0.0.1:${port}/devtools/browser/x`,
    port,
    sockets,
    asked,
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

/** As Chrome answers, which has one page, "PAGE", open. */
function chromeAnswer(
  { method, url = "" }: IncomingMessage,
  own: string,
): readonly [status: number, body: string] {
  const frontEnd = `https://chrome-devtools-frontend.appspot.com/serve_rev/@1`;
  const target = {
    id: "PAGE",
    type: "page",
    devtoolsFrontendUrl:
      `${frontEnd}/inspector.html?ws=${own}/devtools/page/PAGE`,
    webSocketDebuggerUrl: `ws://${own}/devtools/page/PAGE`,
  };
  const [, command = "", id = ""] = /^\/json\/(\w+)\/?([^?]*)/.exec(url) ?? [];
  const isPut = method === "PUT";
  switch (command) {
    case "version":
      return [
        200,
        JSON.stringify({
          Browser: "Chrome/1",
          webSocketDebuggerUrl: `ws://${own}/devtools/browser/x`,
        }),
      ];
    case "list":
      return [200, JSON.stringify([target])];
    case "protocol":
      return [200, '{"version":{"major":"1","minor":"3"},"domains":[]}'];
    case "new":
      return isPut
        ? [200, JSON.stringify(target)]
        : [405, `Using unsafe HTTP verb ${method} to invoke /json/new.`];
    case "close":
    case "activate":
      if (id !== "PAGE") return [404, `No such target id: ${id}`];
      return [
        200,
        command === "close" ? "Target is closing" : "Target activated",
      ];
    default:
      return [404, `Unknown command: ${command}`];
  }
}
