import { Buffer } from "node:buffer";
import { connect, type NetConnectOpts, type Socket } from "node:net";

/** Initial buffer size in bytes, which is all that an idle stream takes. */
const SMALL = 4 * 1024;

/** Buffer size in bytes after a read has filled the initial buffer. */
const LARGE = 128 * 1024;

/**
 * Connects a socket that reuses one buffer for all reads. The bytes of a "data" event are valid until its listeners
 * return, or, if they pause the socket, until it is resumed.
 *
 * `node:net` allocates a new buffer for each read, which takes as much time as the read.
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
