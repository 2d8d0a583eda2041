import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import {
  type AddressInfo,
  createServer as createSocketServer,
  type Server,
  type Socket,
} from "node:net";
import type { Duplex } from "node:stream";
import {
  CLOSE_REASONS,
  type CloseReason,
} from "../../../src/gateway/stream/close_frame.ts";
import type { JoinedStream } from "../../../src/gateway/stream/joined_stream.ts";
import { connectReusingBuffer } from "../../../src/gateway/stream/reused_buffer_socket.ts";
import { StreamThreads } from "../../../src/gateway/stream/thread/stream_threads.ts";
import { builtLibrary } from "../../support/native_library.ts";
import { askUpgrade } from "../../support/raw_client.ts";

/** Thread in which sockets are joined. */
export type Home = "main thread" | "stream thread" | "native join";

/** The homes that this machine has. */
export const HOMES: readonly Home[] = [
  ...["main thread", "stream thread"] as const,
  ...(await builtLibrary() ? ["native join" as const] : []),
];

/** Head of the response that a client gets. */
export const HEAD: Uint8Array = new TextEncoder().encode(
  "HTTP/1.1 101 Switching Protocols\r\n\r\n",
);

/** A joined stream and both of its ends. */
export interface Joined {
  /** The client's end. The response to its handshake is not read yet. */
  readonly client: Socket;
  /** The browser's end. */
  readonly browser: Socket;
  readonly stream: JoinedStream;
}

/** Options of {@linkcode JoinedScene.join}. */
export interface JoinedOptions {
  /** Called with both ends once they are connected, before the gateway's sockets are joined. */
  readonly beforeJoin?: (
    ends: Pick<Joined, "client" | "browser">,
  ) => void | Promise<void>;
  /** Bytes of the browser that follow the head. */
  readonly early?: Uint8Array;
  /** Message of the hold that is on from the start. */
  readonly hold?: string;
  /** @default {Returns the reason of a browser that is gone.} */
  readonly explain?: (signal: AbortSignal) => Promise<CloseReason>;
}

/** Joins sockets of an HTTP server with sockets to a browser, as the gateway does. */
export interface JoinedScene extends AsyncDisposable {
  readonly threads: StreamThreads;
  join(options?: JoinedOptions): Promise<Joined>;
}

/** Creates the thread of a home. */
export async function createThreads(home: Home): Promise<StreamThreads> {
  const library = home === "native join" ? await builtLibrary() : undefined;
  return new StreamThreads({ library });
}

/** Starts a server and a browser that is only a socket. */
export async function joinedScene(
  home: Home,
  threads?: StreamThreads,
): Promise<JoinedScene> {
  threads ??= await createThreads(home);
  if (home !== "main thread") await threads.start();
  const server = createServer();
  const browsers = createSocketServer({ allowHalfOpen: true });
  const ports = await Promise.all([server, browsers].map(listen));
  const sockets: Socket[] = [];
  const streams: JoinedStream[] = [];
  return {
    threads,
    async join({ beforeJoin, early, hold, explain = explainGone } = {}) {
      const upgrade = nextUpgrade(server);
      const client = await askUpgrade(`http://127.0.0.1:${ports[0]}/`);
      const { socket, head } = await upgrade;
      const accepted = nextConnection(browsers);
      const upstream = connectReusingBuffer({
        port: ports[1] ?? 0,
        host: "127.0.0.1",
      });
      await once(upstream, "connect");
      upstream.pause();
      const browser = await accepted;
      for (const end of [client, browser]) {
        sockets.push(end.on("error", () => {}));
      }
      await beforeJoin?.({ client, browser });
      const toClient = Buffer.concat([HEAD, early ?? new Uint8Array()]);
      const stream = threads.join(socket, upstream, {
        first: { toClient, headLength: HEAD.length, toBrowser: head },
        pings: true,
        hold,
        explain,
      });
      streams.push(stream);
      return { client, browser, stream };
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      // The gateway's sockets have timers until they are closed.
      await Promise.all(streams.map(({ ended }) => ended));
      await threads[Symbol.asyncDispose]();
      const closed = [server, browsers].map((each) => once(each, "close"));
      server.close();
      browsers.close();
      await Promise.all(closed);
    },
  };
}

function explainGone(): Promise<CloseReason> {
  return Promise.resolve(CLOSE_REASONS.browserGone);
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port; // A TCP server's address is never text.
}

function nextUpgrade(
  server: HttpServer,
): Promise<{ readonly socket: Duplex; readonly head: Uint8Array }> {
  return new Promise((resolve) =>
    server.once("upgrade", (_, socket, head) => resolve({ socket, head }))
  );
}

function nextConnection(server: Server): Promise<Socket> {
  return new Promise((resolve) => server.once("connection", resolve));
}
