import { Buffer } from "node:buffer";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { FirstBytes } from "../joined_stream.ts";

/** A socket that its stream no longer reads, writes or closes. */
export interface TakenSocket {
  /** File descriptor, which the owner closes. */
  readonly fd: number;
  /** Bytes that the stream had read and not delivered. */
  readonly unread: Uint8Array;
}

/** The runtime's part of a socket. */
interface Handle {
  readStop(): number;
  /**
   * Returns a duplicate of the file descriptor, closed on exec; negative on failure. Deno passes sockets to child
   * processes with it.
   */
  fdForIpc(): number;
}

/**
 * Takes two sockets from their streams, which are destroyed without any effect on the connections. Undefined, with no
 * effect, if one of them is not a plain TCP or unix socket, or has bytes left to write.
 *
 * No byte is lost: no event is handled between the read of what a stream has buffered and the end of the stream, and
 * bytes that arrive later stay in the system.
 */
export function takeSockets(
  first: Duplex,
  second: Duplex,
): readonly [TakenSocket, TakenSocket] | undefined {
  const handles = [findHandle(first), findHandle(second)] as const;
  if (!handles[0] || !handles[1]) return undefined;
  const fds = [handles[0].fdForIpc(), handles[1].fdForIpc()] as const;
  if (fds[0] < 0 || fds[1] < 0) {
    for (const fd of fds) if (fd >= 0) closeDescriptor(fd);
    return undefined;
  }
  return [
    { fd: fds[0], unread: detach(first, handles[0]) },
    { fd: fds[1], unread: detach(second, handles[1]) },
  ];
}

/** Adds what the streams of client and browser had read to the bytes that go out first. */
export function addUnread(
  { toClient, toBrowser, headLength }: FirstBytes,
  [client, browser]: readonly [TakenSocket, TakenSocket],
): {
  readonly toClient: Uint8Array<ArrayBuffer>;
  readonly toBrowser: Uint8Array<ArrayBuffer>;
  readonly headLength: number;
} {
  return {
    toClient: concat(toClient, browser.unread),
    toBrowser: concat(toBrowser, client.unread),
    headLength,
  };
}

/** Closes the file descriptor of a socket. */
export function closeDescriptor(fd: number): void {
  new Socket({ fd }).destroy();
}

function findHandle(stream: Duplex): Handle | undefined {
  const isPlain = stream instanceof Socket && !(stream instanceof TLSSocket);
  if (!isPlain || stream.destroyed || stream.writableLength > 0) {
    return undefined;
  }
  const handle: Handle | null | undefined = Reflect.get(stream, "_handle");
  return typeof handle?.fdForIpc === "function" ? handle : undefined;
}

/** Stops a stream and returns what it has read. */
function detach(stream: Duplex, handle: Handle): Uint8Array {
  stream.pause();
  const chunks: Uint8Array[] = [];
  while (stream.readableLength > 0) chunks.push(stream.read());
  // A read starts the next one.
  handle.readStop();
  stream.destroy();
  return Buffer.concat(chunks);
}

/** Joins two parts in memory of their own: a message copies the whole memory of a view. */
function concat(
  first: Uint8Array,
  second: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
