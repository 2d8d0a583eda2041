import { EventEmitter, once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import {
  LIVE_PROTOCOL,
  type LiveMessage,
  TOKEN_PROTOCOL,
} from "../../../src/apps/live/schemas/live_messages.ts";
import {
  type ViewerMessage,
  viewerMessageSchema,
} from "../../../src/apps/live/schemas/viewer_messages.ts";
import {
  createLivePageHeaders,
  findAsset,
  renderPage,
} from "../../../src/dashboard/page.ts";

/** Token that the scripted server accepts. */
export const TOKEN = "token-of-the-link";

/** Longest wait for a message, which only a failing test reaches. */
const WAIT_MS = 15_000;

/** A message of one type. */
export type Sent<Type extends ViewerMessage["type"]> = Extract<
  ViewerMessage,
  { readonly type: Type }
>;

/** A server with the page of links, and a live view whose messages a test sends and reads. */
export interface ScriptedServer extends AsyncDisposable {
  /** URL of the page with the link. */
  readonly url: string;
  /** Number of connections so far. */
  readonly connections: number;
  /** Paths of all requests. */
  readonly paths: readonly string[];
  /** Waits for the next connection. */
  connected(): Promise<void>;
  send(...messages: readonly LiveMessage[]): void;
  sendPicture(jpeg: Uint8Array, head: PictureSize): void;
  /** Returns the oldest message of a type that was not read. */
  next<Type extends ViewerMessage["type"]>(
    type: Type,
    accept?: (message: Sent<Type>) => boolean,
  ): Promise<Sent<Type>>;
  /** Returns all messages that were not read. */
  take(): readonly ViewerMessage[];
  /** Returns the next binary message. */
  nextFile(): Promise<string>;
  /** Ends the connection as a failing network does. */
  cut(): void;
  /** Makes the server reject connections. */
  reject: boolean;
}

/** The members of a picture's head. */
export interface PictureSize {
  readonly seq: number;
  readonly width: number;
  readonly height: number;
  readonly scale?: number;
  readonly top?: number;
}

/** Starts the server. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const paths: string[] = [];
  const messages: ViewerMessage[] = [];
  const files: string[] = [];
  const events = new EventEmitter();
  let connections = 0;
  let rejects = false;
  let current: WebSocket | undefined;
  const http = createServer(({ url = "/" }, response) => {
    paths.push(url);
    serveFile(url, response);
  });
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (protocols) => {
      const isKnown = protocols.has(TOKEN_PROTOCOL + TOKEN);
      return isKnown && protocols.has(LIVE_PROTOCOL) ? LIVE_PROTOCOL : false;
    },
  });
  http.on("upgrade", (request, socket, head) => {
    paths.push(request.url ?? "");
    if (rejects || request.url !== "/v1/live") return void socket.destroy();
    sockets.handleUpgrade(request, socket, head, (client) => {
      current = client;
      connections++;
      client.on("message", (data, isBinary) => {
        if (isBinary) files.push(String(data));
        else messages.push(viewerMessageSchema.parse(JSON.parse(String(data))));
        events.emit("message");
      });
      events.emit("connected");
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const address = http.address();
  const port = typeof address === "object" ? address?.port : undefined;
  async function nextMessage(): Promise<void> {
    await once(events, "message", { signal: AbortSignal.timeout(WAIT_MS) });
  }
  return {
    url: `http://127.0.0.1:${port}/live#${TOKEN}`,
    paths,
    get connections() {
      return connections;
    },
    get reject() {
      return rejects;
    },
    set reject(value) {
      rejects = value;
    },
    async connected() {
      const signal = AbortSignal.timeout(WAIT_MS);
      await once(events, "connected", { signal });
    },
    send(...list) {
      for (const message of list) current?.send(JSON.stringify(message));
    },
    sendPicture: (jpeg, head) => current?.send(encodePicture(jpeg, head)),
    async next<Type extends ViewerMessage["type"]>(
      type: Type,
      accept: (message: Sent<Type>) => boolean = () => true,
    ) {
      for (;;) {
        const at = messages.findIndex((message) =>
          isOfType(message, type) && accept(message)
        );
        const message = messages[at];
        if (message && isOfType(message, type)) {
          messages.splice(at, 1);
          return message;
        }
        await nextMessage().catch(() => {
          throw new Error(
            `No message "${type}", but: ${JSON.stringify(messages)}`,
          );
        });
      }
    },
    take: () => messages.splice(0),
    async nextFile() {
      while (files.length === 0) await nextMessage();
      return files.shift() ?? "";
    },
    cut: () => current?.terminate(),
    async [Symbol.asyncDispose]() {
      for (const client of sockets.clients) client.terminate();
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
}

function isOfType<Type extends ViewerMessage["type"]>(
  message: ViewerMessage,
  type: Type,
): message is Sent<Type> {
  return message.type === type;
}

function serveFile(url: string, response: ServerResponse): void {
  const asset = findAsset(url.slice(url.lastIndexOf("/") + 1));
  if (asset) {
    response.writeHead(200, { "content-type": asset.type }).end(asset.text);
  } else if (url === "/live") {
    response.writeHead(200, {
      "content-type": "text/html; charset=utf-8",
      ...createLivePageHeaders([]),
    }).end(renderPage(""));
  } else response.writeHead(404).end();
}

function encodePicture(
  jpeg: Uint8Array,
  { seq, width, height, scale = 1, top = 0 }: PictureSize,
): Uint8Array {
  const bytes = new Uint8Array(17 + jpeg.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 1);
  view.setUint32(1, seq);
  view.setUint16(5, width);
  view.setUint16(7, height);
  view.setFloat32(9, scale);
  view.setFloat32(13, top);
  bytes.set(jpeg, 17);
  return bytes;
}
