import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A socket that has asked for an upgrade, and the head of its answer. */
export interface RawClient extends Disposable {
  readonly socket: Socket;
  readonly head: string;
  /** Bytes that arrived with the head. */
  readonly rest: Uint8Array;
}

/** Asks `url` for an upgrade by hand, and reads the answer's head. */
export async function rawClient(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  extra: Uint8Array = new Uint8Array(),
): Promise<RawClient> {
  const socket = await askUpgrade(url, headers, extra);
  const answer = await collect(
    socket,
    (chunks) => Buffer.concat(chunks).includes("\r\n\r\n"),
  );
  const end = answer.indexOf("\r\n\r\n") + 4;
  return {
    socket,
    head: answer.subarray(0, end).toString("latin1"),
    rest: answer.subarray(end),
    [Symbol.dispose]: () => socket.destroy(),
  };
}

/** Rejection of a socket. */
export interface RawRefusal {
  readonly status: string | undefined;
  readonly code: string;
  readonly detail: string;
  readonly head: string;
}

/** Asks `url` for an upgrade by hand, which is refused with a problem. */
export async function readRejection(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawRefusal> {
  using client = await rawClient(url, headers);
  const { head, rest, socket } = client;
  const [, status] = /^HTTP\/1\.1 (\d+)/.exec(head) ?? [];
  const [, length] = /content-length: (\d+)/i.exec(head) ?? [];
  if (length === undefined) throw new Error(`It was not refused: ${head}`);
  const left = await readBytes(socket, Number(length) - rest.length);
  const { code, detail } = JSON.parse(Buffer.concat([rest, left]).toString());
  return { status, code, detail, head };
}

/** Sends an upgrade request to `url` over a raw socket; the response is not read yet. */
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

/** Requests a session over a separate connection; the response is not read yet. */
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

/** Reads `count` more bytes, and what else has come with the last of them. */
export function readBytes(
  socket: Socket,
  count: number,
): Promise<Uint8Array> {
  let missing = count;
  if (missing === 0) return Promise.resolve(new Uint8Array());
  return collect(socket, (_, chunk) => (missing -= chunk.length) <= 0);
}

/** Reads until `isEnough`, told of each chunk as it comes; leaves the socket paused. Rejects if it is closed before. */
function collect(
  socket: Socket,
  isEnough: (chunks: readonly Uint8Array[], last: Uint8Array) => boolean,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    const onClose = () => reject(new Error("The socket was closed"));
    function onData(chunk: Uint8Array): void {
      chunks.push(chunk);
      if (!isEnough(chunks, chunk)) return;
      socket.pause();
      socket.off("data", onData);
      socket.off("close", onClose);
      resolve(Buffer.concat(chunks));
    }
    socket.on("data", onData);
    socket.once("close", onClose);
    socket.resume();
  });
}
