import assert from "node:assert/strict";
import { once } from "node:events";
import { WebSocket } from "ws";
import { type Nginx, nginxMissing, startNginx } from "../support/nginx.ts";
import { within } from "../support/within.ts";
import { gatewayScene } from "./scene.ts";
import { tunnelScene } from "./tunnel/scene.ts";

/** Read timeout of the nginx in these tests; its default is 60 s. */
const READ_TIMEOUT_SECONDS = 3;

/** Number of pings, one per second, that exceed the timeout. */
const PINGS = 4;

const MS = 15_000;

function nginxTest(what: string, fn: () => Promise<void>): void {
  const name = nginxMissing === undefined ? what : `${what} (${nginxMissing})`;
  Deno.test({ name, fn, ignore: nginxMissing !== undefined });
}

function nginxBefore(url: string): Promise<Nginx> {
  return startNginx(url, { readTimeoutSeconds: READ_TIMEOUT_SECONDS });
}

/** Connects a client that only listens and responds to pings. */
async function connected(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url.replace("http", "ws"));
  await within(once(socket, "open"), { what: "it is connected", ms: MS });
  return socket;
}

/** Resolves when the client was pinged for longer than nginx keeps idle connections, and is still connected. */
async function outlasts(socket: WebSocket): Promise<void> {
  const closed = once(socket, "close").then(([code]) => {
    throw new Error(`It was closed with ${code}`);
  });
  closed.catch(() => {});
  const pings = Promise.withResolvers<void>();
  let count = 0;
  socket.on("ping", () => ++count === PINGS && pings.resolve());
  await within(Promise.race([pings.promise, closed]), {
    what: `${PINGS} pings`,
    ms: MS,
  });
  // A frame to the browser, which echoes it.
  socket.send("still there");
  await within(closed, { what: "nothing", ms: 100 }).catch((error) =>
    assert.match(String(error), /nothing/)
  );
}

nginxTest(
  "pings keep an idle client behind nginx beyond its read timeout; without them it is cut",
  async () => {
    await using kept = await gatewayScene({
      grid: { settings: { websocket_ping_seconds: 1 } },
      upstream: { onSocket: (socket) => void socket.resume() },
    });
    await using cut = await gatewayScene({
      grid: { settings: { websocket_ping_seconds: 0 } },
    });
    await using keeping = await nginxBefore(kept.grid.url);
    await using cutting = await nginxBefore(cut.grid.url);
    const path = ({ sessionId }: typeof kept) =>
      `/v1/sessions/${sessionId}/cdp`;
    const unkept = await connected(cutting.url + path(cut));
    const end = once(unkept, "close");
    const socket = await connected(keeping.url + path(kept));
    await outlasts(socket);
    const [code] = await within(end, { what: "nginx cuts it", ms: MS });
    assert.equal(code, 1006);
    socket.terminate();
  },
);

nginxTest(
  "pings also keep the stream of a worker's tunnel behind nginx",
  async () => {
    await using scene = await tunnelScene({
      settings: { websocket_ping_seconds: 1 },
      upstream: { onSocket: (socket) => void socket.resume() },
    });
    await using nginx = await nginxBefore(scene.grid.url);
    await scene.start({ reach: "tunnel", tunnelUrl: nginx.url });
    const id = await scene.running();
    const socket = await connected(`${nginx.url}/v1/sessions/${id}/cdp`);
    await outlasts(socket);
    socket.terminate();
  },
);
