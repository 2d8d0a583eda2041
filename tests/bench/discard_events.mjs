/** Enables `Runtime` in the page of its last argument and discards what the browser sends. Writes a line at the first bytes. */
import { Buffer } from "node:buffer";
import { connect } from "node:net";
import process from "node:process";

const url = new URL(process.argv.at(-1));
const socket = connect(Number(url.port), url.hostname);
const head = [
  `GET ${url.pathname} HTTP/1.1`,
  `Host: ${url.host}`,
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
];
socket.write(`${head.join("\r\n")}\r\n\r\n`);
socket.once("data", () => {
  // A mask of zeros leaves the text as it is.
  const text = Buffer.from('{"id":1,"method":"Runtime.enable"}');
  const header = Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]);
  socket.write(Buffer.concat([header, text]));
  // deno-lint-ignore no-console -- the benchmark reads it
  socket.once("data", () => console.log("reading"));
  socket.on("data", () => {});
});
