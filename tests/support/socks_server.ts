import { Buffer } from "node:buffer";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A SOCKS proxy that connects every request to one loopback port. */
export interface SocksServer extends AsyncDisposable {
  readonly port: number;
  /** Requests, as `host:port` or `user:password@host:port`. */
  readonly asked: readonly string[];
}

/** Starts a SOCKS proxy of version 4 or 5, whose connections all go to `port`. */
export async function startSocksServer(port: number): Promise<SocksServer> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client);
    client.on("error", () => client.destroy());
    void answer(client, port).then((what) => asked.push(what)).catch(() =>
      client.destroy()
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port, // The server listens on a port.
    asked,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function answer(client: Socket, port: number): Promise<string> {
  const first = await next(client);
  if (first[0] === 4) {
    const [name = "", host = ""] = first.toString("latin1", 8).split("\0");
    client.write(Buffer.from([0, 90, 0, 0, 0, 0, 0, 0]));
    join(client, port);
    const address = first[4] ? first.subarray(4, 8).join(".") : host;
    return `${name}${address}:${first.readUInt16BE(2)}`;
  }
  const asksForUser = first.includes(2, 2);
  client.write(Buffer.from([5, asksForUser ? 2 : 0]));
  const user = asksForUser ? `${await readUser(client)}@` : "";
  const request = await next(client);
  const name = request[3] === 3
    ? request.toString("latin1", 5, request.length - 2)
    : request.subarray(4, request.length - 2).join(".");
  client.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
  join(client, port);
  return `${user}${name}:${request.readUInt16BE(request.length - 2)}`;
}

async function readUser(client: Socket): Promise<string> {
  const bytes = await next(client);
  const length = bytes[1] ?? 0;
  client.write(Buffer.from([1, 0]));
  return `${bytes.toString("utf8", 2, 2 + length)}:${
    bytes.toString("utf8", 3 + length)
  }`;
}

async function next(client: Socket): Promise<Buffer> {
  const [bytes]: Buffer[] = await once(client, "data");
  return bytes ?? Buffer.alloc(0);
}

function join(client: Socket, port: number): void {
  const target = connect(port, "127.0.0.1");
  target.on("error", () => client.destroy());
  target.on("close", () => client.destroy());
  client.on("close", () => target.destroy());
  client.pipe(target).pipe(client);
}
