/**
 * Relays connections to the port that is its argument, as little as a relay on `node:net` can do: every chunk is
 * written to the other side. Prints its port.
 *
 * @module
 */
import { connect, createServer, type Socket } from "node:net";
import { print } from "../times.ts";

const port = Number(Deno.args[0]);
const server = createServer({ noDelay: true }, (client) => {
  const browser = connect({ port, host: "127.0.0.1", noDelay: true });
  forward(client, browser);
  forward(browser, client);
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") print(String(address?.port));
});

function forward(from: Socket, to: Socket): void {
  from.on("data", (chunk) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on("drain", () => from.resume());
  from.on("close", () => to.destroy());
  from.on("error", () => to.destroy());
}
