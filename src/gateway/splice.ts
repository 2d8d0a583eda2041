import type { Duplex } from "node:stream";
import { CLOSE_CODES, closeFrame } from "./close_frame.ts";

/** How long either side may take to read its last bytes. */
const LINGER_MS = 2_000;

/** Why a stream ended. */
export interface StreamEnd {
  readonly by: "client" | "browser" | "grid";
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** A client's socket joined with a browser's. */
export interface Splice {
  /** Resolves when both are closed. Never rejects. */
  readonly ended: Promise<StreamEnd>;
  /** Bytes so far, both ways: whoever wants to know about activity compares it with an earlier look. */
  bytes(): number;
  /** Says what the client is told when the browser's side ends from now on, for that was ordered. */
  expectEnd(code: number, reason: string): void;
  /** Ends it from the grid's side; the client gets a close frame. */
  close(code: number, reason: string): void;
}

/**
 * Copies bytes both ways until either side ends, with the back-pressure of the sockets themselves. Either may lend the
 * bytes of its "data" events.
 *
 * No frame is parsed. When the browser's side vanishes, a close frame is written after its last byte; in the middle of
 * a frame the client takes it for payload and sees an abnormal closure, which is what it is.
 */
export function splice(client: Duplex, upstream: Duplex): Splice {
  const ended = Promise.withResolvers<StreamEnd>();
  let by: StreamEnd["by"] | undefined;
  let lastWord: readonly [code: number, reason: string] = [
    CLOSE_CODES.browserGone,
    "browser gone",
  ];
  let bytesIn = 0;
  let bytesOut = 0;
  copy(client, upstream, (count) => bytesIn += count);
  copy(upstream, client, (count) => bytesOut += count);

  function end(side: StreamEnd["by"], code: number, reason: string): void {
    if (by !== undefined) return;
    by = side;
    if (side === "client") {
      client.destroy();
      // What the client sent before it left still arrives.
      upstream.end(() => upstream.destroy());
    } else {
      upstream.destroy();
      client.end(closeFrame(code, reason));
      // What the client still sends is read and dropped, so that its end is seen.
      client.resume();
    }
    const linger = setTimeout(() => {
      client.destroy();
      upstream.destroy();
    }, LINGER_MS);
    void Promise.all([closed(client), closed(upstream)]).then(() => {
      clearTimeout(linger);
      ended.resolve({ by: side, bytesIn, bytesOut });
    });
  }

  client.on("error", () => end("client", 1001, ""));
  client.on("end", () => end("client", 1001, ""));
  client.on("close", () => end("client", 1001, ""));
  const gone = () => end("browser", ...lastWord);
  upstream.on("error", gone);
  upstream.on("end", gone);
  upstream.on("close", gone);
  return {
    ended: ended.promise,
    bytes: () => bytesIn + bytesOut,
    expectEnd(code, reason) {
      lastWord = [code, reason];
    },
    close: (code, reason) => end("grid", code, reason),
  };
}

/**
 * Writes what `from` brings to `to`, and lets it bring no more before that has left this process: the bytes may be lent,
 * and of a stream that nobody reads no more than one read is held.
 */
function copy(
  from: Duplex,
  to: Duplex,
  count: (bytes: number) => void,
): void {
  const goOn = () => {
    if (to.writableLength === 0) from.resume();
  };
  from.on("data", (chunk: Uint8Array) => {
    if (!to.writable) return;
    count(chunk.length);
    to.write(chunk, goOn);
    if (to.writableLength > 0) from.pause();
  });
}

function closed(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}
