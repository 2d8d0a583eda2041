/**
 * The module of the stream thread, with an error that no stream handles once a frame with {@linkcode FAILURE} arrives
 * in any socket.
 *
 * @module
 */
import { Socket } from "node:net";
import "../../../../src/gateway/stream/thread/stream_worker.ts";

const { emit } = Socket.prototype;
Socket.prototype.emit = function (
  this: Socket,
  event: string | symbol,
  ...args: unknown[]
) {
  const [data] = args;
  if (event === "data" && String(data).includes("fail")) {
    setTimeout(() => {
      throw new Error("failed as asked");
    }, 0);
  }
  return Reflect.apply(emit, this, [event, ...args]);
};
