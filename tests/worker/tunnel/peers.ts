/**
 * TCP servers that act as a browser, a grid server or an HTTP proxy for the worker's end of a tunnel.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** A listening TCP server, whose connections end with it. */
export interface Peer extends AsyncDisposable {
  readonly port: number;
  /** Heads of the requests, oldest first. */
  readonly heads: readonly string[];
  readonly sockets: readonly Socket[];
}

/** Starts a server that passes the head of each request, and what follows, to `serve`. */
export async function startPeer(
  serve: (socket: Socket, head: string) => void,
): Promise<Peer> {
  const heads: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    let head = "";
    const onData = (data: Uint8Array) => {
      head += new TextDecoder().decode(data);
      if (!head.includes("\r\n\r\n")) return;
      socket.off("data", onData);
      heads.push(head);
      serve(socket, head);
    };
    socket.on("data", onData);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("No address");
  return {
    port: address.port,
    heads,
    sockets,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Starts a server that echoes everything, as a browser's stand-in. */
export async function startEcho(): Promise<Peer> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("No address");
  return {
    port: address.port,
    heads: [],
    sockets,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Returns the next data of a socket as text. */
export async function read(socket: Socket): Promise<string> {
  const [data] = await once(socket, "data");
  return new TextDecoder().decode(data);
}
