import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A socket that has asked for an upgrade, and the head of its answer. */
export interface RawClient extends Disposable {
  readonly socket: Socket;
  readonly head: string;
  /** What came with the head. */
  readonly rest: Uint8Array;
}

/** Asks `url` for an upgrade by hand, and reads the answer's head. */
export async function rawClient(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  extra: Uint8Array = new Uint8Array(),
): Promise<RawClient> {
  const socket = await askUpgrade(url, headers, extra);
  let answer = Buffer.alloc(0);
  while (!answer.includes("\r\n\r\n")) {
    const [chunk] = await once(socket, "data");
    answer = Buffer.concat([answer, chunk]);
  }
  socket.pause();
  const end = answer.indexOf("\r\n\r\n") + 4;
  return {
    socket,
    head: answer.subarray(0, end).toString("latin1"),
    rest: answer.subarray(end),
    [Symbol.dispose]: () => socket.destroy(),
  };
}

/** Asks `url` for an upgrade by hand; nobody reads the answer yet. */
export function askUpgrade(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  extra: Uint8Array = new Uint8Array(),
): Promise<Socket> {
  return sendRequest("GET", url, {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  }, extra);
}

/** Asks for a session over a connection of its own; nobody reads the answer yet. */
export function askSession(url: string): Promise<Socket> {
  const body = new TextEncoder().encode("{}");
  return sendRequest("POST", url, {
    "Content-Type": "application/json",
    "Content-Length": String(body.length),
  }, body);
}

async function sendRequest(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  rest: Uint8Array,
): Promise<Socket> {
  const { hostname, port, host, pathname, search } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  const lines = Object.entries({ Host: host, ...headers }).map((
    [name, value],
  ) => `${name}: ${value}\r\n`);
  const head = `${method} ${pathname}${search} HTTP/1.1\r\n${
    lines.join("")
  }\r\n`;
  socket.write(Buffer.concat([Buffer.from(head), rest]));
  return socket;
}

/** Reads `count` more bytes. */
export async function readBytes(
  socket: Socket,
  count: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length < count) {
    socket.resume();
    const [chunk] = await once(socket, "data");
    socket.pause();
    chunks.push(chunk);
    length += chunk.length;
  }
  return Buffer.concat(chunks);
}
