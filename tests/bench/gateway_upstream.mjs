// A browser that is only a socket, in a process of its own. Prints its port.
//
// It sends back each text message that it gets; one that is {"total":BYTES,"message":BYTES} it answers with that many
// bytes, in messages of that size, as fast as they are taken.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import process from "node:process";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const server = createServer();
server.on("upgrade", (request, socket) => {
  const key = request.headers["sec-websocket-key"];
  const accept = createHash("sha1").update(key + GUID).digest("base64");
  socket.setNoDelay();
  socket.on("error", () => socket.destroy());
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
      `Connection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  let rest = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (let text; (text = take()) !== undefined;) answer(socket, text);
  });
  /** The next message: short text in one frame, masked. */
  function take() {
    const length = rest[1] & 0x7f;
    if (rest.length < 6 || rest.length < 6 + length) return undefined;
    const bytes = Buffer.from(rest.subarray(6, 6 + length));
    for (let at = 0; at < length; at++) bytes[at] ^= rest[2 + (at & 3)];
    rest = rest.subarray(6 + length);
    return bytes;
  }
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${server.address().port}\n`);
});

function answer(socket, text) {
  if (text[0] !== 0x7b) {
    socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]));
    return;
  }
  const { total, message } = JSON.parse(text);
  const frame = createFrame(message);
  let left = total / message;
  function pump() {
    while (left-- > 0) if (!socket.write(frame)) return;
    socket.off("drain", pump);
  }
  socket.on("drain", pump);
  pump();
}

/** A text message of `size` bytes, as a browser's event looks. */
function createFrame(size) {
  const head = Buffer.alloc(10);
  head.set([0x81, 127]);
  head.writeBigUInt64BE(BigInt(size), 2);
  const [start, end] = ['{"method":"Page.frame","params":{"data":"', '"}}'];
  const data = "A".repeat(size - start.length - end.length);
  return Buffer.concat([head, Buffer.from(start + data + end)]);
}
