import { once } from "node:events";
import { createServer } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";

// deno-lint-ignore no-explicit-any -- a test says what it expects of it
type Message = any;

/** A browser that is only its debugging endpoint: it answers each command with an empty result. */
export interface FakeCdp extends AsyncDisposable {
  readonly endpoint: URL;
  /** Open connections. */
  readonly sockets: ReadonlySet<WebSocket>;
  /** Number of connections so far. */
  readonly connections: () => number;
  /** Commands of all connections, oldest first. */
  readonly commands: readonly Message[];
  /** Sends a message over every connection. */
  emit(message: object): void;
  /** Reports a page with this session id over every connection. */
  attach(sessionId: string, parent?: string): void;
}

/** Behaviour of a {@linkcode FakeCdp}. */
export interface FakeCdpOptions {
  /** Listens on this unix socket instead of a port. */
  readonly socketPath?: string;
  /** Called before each answer. */
  readonly onCommand?: (command: Message, cdp: FakeCdp) => void;
}

/** Starts a browser on a free port. */
export async function startFakeCdp(
  { onCommand, socketPath }: FakeCdpOptions = {},
): Promise<FakeCdp> {
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  if (socketPath === undefined) http.listen(0, "127.0.0.1");
  else http.listen(socketPath);
  await once(http, "listening");
  const address = http.address();
  const port = address !== null && typeof address === "object"
    ? address.port
    : 9;
  const commands: Message[] = [];
  const sockets = new Set<WebSocket>();
  let count = 0;
  const cdp: FakeCdp = {
    endpoint: new URL(`ws://127.0.0.1:${port}/devtools/browser/x`),
    sockets,
    connections: () => count,
    commands,
    emit(message) {
      for (const socket of sockets) socket.send(JSON.stringify(message));
    },
    attach(sessionId, parent) {
      cdp.emit({
        method: "Target.attachedToTarget",
        params: {
          sessionId,
          targetInfo: {
            targetId: `target-${sessionId}`,
            type: "page",
            url: "https://example.com/",
          },
        },
        ...(parent === undefined ? {} : { sessionId: parent }),
      });
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.terminate();
      server.close();
      http.close();
      await once(http, "close");
    },
  };
  server.on("connection", (socket) => {
    count++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("message", (data) => {
      const command = JSON.parse(String(data));
      commands.push(command);
      onCommand?.(command, cdp);
      const { id, sessionId } = command;
      socket.send(JSON.stringify({ id, result: {}, sessionId }));
    });
  });
  return cdp;
}
