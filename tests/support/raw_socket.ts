import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** The key of the RFC's example. @see {@link https://www.rfc-editor.org/rfc/rfc6455#section-1.3 RFC 6455, 1.3} */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

/** A client that is only a socket: it sends and reads what a test says, and nothing more. */
export interface RawSocket extends Disposable {
  readonly socket: Socket;
  /** Reads as many bytes, and not one more. @throws {Error} If the other side ends before. */
  read(count: number): Promise<Uint8Array>;
  /** Reads up to the other side's end. */
  readToEnd(): Promise<Uint8Array>;
  /** Reads the head of an answer. */
  readHead(): Promise<string>;
}

/** What a handshake differs in from a plain one. */
export interface HandshakeOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent with the handshake, in one piece. */
  readonly early?: Uint8Array;
}

/** Sends a WebSocket handshake to `url`, and does not wait for the answer. */
export async function sendHandshake(
  url: string,
  { headers = {}, early = new Uint8Array() }: HandshakeOptions = {},
): Promise<RawSocket> {
  const { hostname, port, host, pathname, search } = new URL(url);
  const socket = connect({
    port: Number(port),
    host: hostname,
    // So that a test decides when this side ends.
    allowHalfOpen: true,
  });
  await once(socket, "connect");
  const lines = Object.entries({
    "Host": host,
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = `GET ${pathname}${search} HTTP/1.1\r\n${lines.join("")}\r\n`;
  socket.write(Buffer.concat([Buffer.from(request), early]));
  return readerOf(socket);
}

/** Shakes hands with the browser behind `url`. @throws {Error} With the answer's head if it is no 101. */
export async function rawSocket(
  url: string,
  options?: HandshakeOptions,
): Promise<RawSocket & { readonly head: string }> {
  const client = await sendHandshake(url, options);
  const head = await client.readHead();
  if (head.startsWith("HTTP/1.1 101 ")) return { ...client, head };
  client.socket.destroy();
  throw new Error(head);
}

function readerOf(socket: Socket): RawSocket {
  let held = Buffer.alloc(0);
  /** False: there is no more. */
  async function more(): Promise<boolean> {
    for (;;) {
      const chunk: Uint8Array | null = socket.read();
      if (chunk !== null) {
        held = held.length > 0
          ? Buffer.concat([held, chunk])
          : Buffer.from(chunk);
        return true;
      }
      if (socket.readableEnded) return false;
      if (socket.errored) throw socket.errored;
      if (socket.destroyed) return false;
      await nextOf(socket);
    }
  }
  function take(count: number): Uint8Array {
    const taken = held.subarray(0, count);
    held = held.subarray(count);
    return taken;
  }
  return {
    socket,
    async read(count) {
      const chunks: Uint8Array[] = [];
      let missing = count;
      while (missing > 0) {
        if (held.length === 0 && !await more()) {
          throw new Error(`The other side ended, ${missing} bytes too early`);
        }
        const chunk = take(Math.min(missing, held.length));
        missing -= chunk.length;
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    },
    async readToEnd() {
      const chunks: Uint8Array[] = [];
      do chunks.push(take(held.length)); while (await more());
      return Buffer.concat(chunks);
    },
    async readHead() {
      for (;;) {
        const end = held.indexOf("\r\n\r\n");
        if (end >= 0) return Buffer.from(take(end + 4)).toString("latin1");
        if (!await more()) {
          throw new Error(`No whole head came: ${held.toString("latin1")}`);
        }
      }
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
}

/** Resolves when there may be something to read, or nothing any more. */
function nextOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const names = ["readable", "end", "close", "error"];
    const finish = () => {
      for (const name of names) socket.off(name, finish);
      resolve();
    };
    for (const name of names) socket.on(name, finish);
  });
}
