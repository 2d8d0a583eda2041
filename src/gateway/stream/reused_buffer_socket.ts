import { Buffer } from "node:buffer";
import { connect, type NetConnectOpts, type Socket } from "node:net";

/** What a read takes at first, in bytes: an idle stream costs no more. */
const SMALL = 4 * 1024;

/** What a read takes of a stream that has filled the smaller buffer. */
const LARGE = 128 * 1024;

/**
 * Connects a socket that reads into one buffer again and again. Its "data" events lend what they bring: it holds until
 * the listeners return, or, if they pause the socket, until it is resumed.
 *
 * `node:net` makes a new buffer for each read, which is as much work as the reading itself.
 */
export function connectReusingBuffer(options: NetConnectOpts): Socket {
  let buffer = Buffer.allocUnsafeSlow(SMALL);
  const socket: Socket = connect({
    ...options,
    onread: {
      buffer: () => buffer,
      callback(count) {
        const bytes = buffer.subarray(0, count);
        if (count === SMALL) buffer = Buffer.allocUnsafeSlow(LARGE);
        socket.emit("data", bytes);
        return true;
      },
    },
  });
  return socket;
}
