// deno-lint-ignore-file explicit-module-boundary-types -- plain JavaScript, because Node.js runs it
/**
 * An HTTP client that costs little: the load shares its cores with the server that it measures.
 *
 * It writes each request in one piece to a kept connection and reads only what callers use: status, `Retry-After` and,
 * where asked for, the body. A request uses a connection alone until it is answered; with all connections in use it
 * waits.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import net from "node:net";

const HEAD_END = Buffer.from("\r\n\r\n");
const LAST_CHUNK = Buffer.from("\r\n0\r\n\r\n");

/** A client of one server with at most `maxConnections` connections. */
export class LoadClient {
  #idle = [];
  #waiting = [];
  #sockets = new Set();
  #options;
  #maxConnections;

  constructor(url, maxConnections) {
    const { hostname, port, host } = new URL(url);
    this.#options = { host: hostname, port: Number(port), noDelay: true };
    this.#maxConnections = maxConnections;
    this.host = host;
  }

  /**
   * Sends a request, and resolves with `{ status, retryAfter, text }`; `status` is 0 if the connection broke. `text` is
   * the body, empty unless `wantsBody`.
   */
  send(method, path, { body = "", headers = "", wantsBody = false } = {}) {
    const length = body === ""
      ? ""
      : `content-type: application/json\r\ncontent-length: ${
        Buffer.byteLength(body)
      }\r\n`;
    const head =
      `${method} ${path} HTTP/1.1\r\nhost: ${this.host}\r\n${headers}${length}\r\n`;
    return new Promise((resolve) => {
      const job = { bytes: head + body, wantsBody, resolve };
      const connection = this.#idle.pop();
      if (connection) connection.start(job);
      else if (this.#sockets.size < this.#maxConnections) {
        this.#open().start(job);
      } else this.#waiting.push(job);
    });
  }

  close() {
    for (const socket of this.#sockets) socket.destroy();
  }

  #open() {
    const socket = net.connect(this.#options);
    this.#sockets.add(socket);
    let job;
    let read = [];
    const start = (next) => {
      job = next;
      socket.write(next.bytes);
    };
    const connection = { start };
    socket.on("data", (chunk) => {
      read.push(chunk);
      const bytes = read.length === 1 ? chunk : Buffer.concat(read);
      const response = parse(bytes, job?.wantsBody);
      if (!response) return;
      read = [];
      const { resolve } = job;
      job = undefined;
      const next = this.#waiting.shift();
      if (next) start(next);
      else this.#idle.push(connection);
      resolve(response);
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#idle = this.#idle.filter((each) => each !== connection);
      job?.resolve({ status: 0, retryAfter: undefined, text: "" });
      const next = this.#waiting.shift();
      if (next) this.#open().start(next);
    });
    return connection;
  }
}

/** Returns the response if `bytes` has all of it. */
function parse(bytes, wantsBody) {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd === -1) return;
  const head = bytes.latin1Slice(0, headEnd).toLowerCase();
  const status = Number(head.slice(9, 12));
  const from = headEnd + HEAD_END.length;
  const length = readHeader(head, "content-length");
  const isEmpty = status === 204 || status === 304;
  const end = isEmpty
    ? from
    : length === undefined
    ? findLastChunk(bytes, headEnd)
    : from + Number(length);
  if (end === -1 || bytes.length < end) return;
  const body = wantsBody ? bytes.subarray(from, end) : undefined;
  return {
    status,
    retryAfter: status >= 400 ? readHeader(head, "retry-after") : undefined,
    text: body === undefined
      ? ""
      : length === undefined
      ? joinChunks(body)
      : body.utf8Slice(),
  };
}

function findLastChunk(bytes, headEnd) {
  const at = bytes.indexOf(LAST_CHUNK, headEnd + 2);
  return at === -1 ? -1 : at + LAST_CHUNK.length;
}

function readHeader(head, name) {
  const at = head.indexOf(`\r\n${name}:`);
  if (at === -1) return;
  const end = head.indexOf("\r\n", at + 2);
  return head.slice(at + name.length + 3, end === -1 ? undefined : end).trim();
}

function joinChunks(body) {
  const parts = [];
  for (let at = 0; at < body.length;) {
    const lineEnd = body.indexOf("\r\n", at);
    const size = parseInt(body.latin1Slice(at, lineEnd), 16);
    parts.push(body.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 4 + size;
  }
  return Buffer.concat(parts).utf8Slice();
}
