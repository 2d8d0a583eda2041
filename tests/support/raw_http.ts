import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Everything that came on a socket until it was closed. */
export interface RawAnswer {
  /** Of the first answer; undefined if there was none. */
  readonly status: number | undefined;
  /** Whole, heads and bodies. */
  readonly text: string;
  /** `code` of the problem in it. */
  readonly code: string | undefined;
}

/** A socket on which a test writes what no honest client would. */
export interface RawHttp extends Disposable {
  readonly socket: Socket;
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<RawAnswer>;
  /** Resolves when `text` has come. */
  until(text: string): Promise<string>;
}

/** Connects to `url`, and writes `first`. */
export async function rawHttp(
  url: string,
  first: string | Uint8Array = "",
): Promise<RawHttp> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  let text = "";
  socket.on("data", (chunk) => text += Buffer.from(chunk).toString("latin1"));
  socket.on("error", () => {}); // A reset is a way to be closed.
  const closed = new Promise<RawAnswer>((resolve) =>
    socket.once("close", () => resolve(parseResponse(text)))
  );
  if (first.length > 0) socket.write(first);
  return {
    socket,
    closed,
    async until(wanted) {
      while (!text.includes(wanted)) await once(socket, "data");
      return text;
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

function parseResponse(text: string): RawAnswer {
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
  return {
    status: status === undefined ? undefined : Number(status),
    code: /"code":"(\w+)"/.exec(text)?.[1],
    text,
  };
}
