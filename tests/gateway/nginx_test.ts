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

function startNginxBefore(url: string): Promise<Nginx> {
  return startNginx(url, { readTimeoutSeconds: READ_TIMEOUT_SECONDS });
}

/** Connects a client that only listens and responds to pings. */
async function connectClient(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url.replace("http", "ws"));
  await within(once(socket, "open"), {
    what: "the client is connected",
    ms: MS,
  });
  return socket;
}

/** Resolves when the client was pinged for longer than nginx keeps idle connections, and is still connected. */
async function assertOutlasts(socket: WebSocket): Promise<void> {
  const closed = once(socket, "close").then(([code]) => {
    throw new Error(`The connection was closed with ${code}`);
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
  await within(closed, { what: "no close", ms: 100 }).catch((error) =>
    assert.match(String(error), /no close/)
  );
}

nginxTest(
  "pings keep an idle client connected through nginx beyond its read timeout; without pings nginx closes the connection",
  async () => {
    await using pinged = await gatewayScene({
      grid: { settings: { websocket_ping_seconds: 1 } },
      upstream: { onSocket: (socket) => void socket.resume() },
    });
    await using silent = await gatewayScene({
      grid: { settings: { websocket_ping_seconds: 0 } },
    });
    await using pingedNginx = await startNginxBefore(pinged.grid.url);
    await using silentNginx = await startNginxBefore(silent.grid.url);
    const path = ({ sessionId }: typeof pinged) =>
      `/v1/sessions/${sessionId}/cdp`;
    const unpinged = await connectClient(silentNginx.url + path(silent));
    const end = once(unpinged, "close");
    const socket = await connectClient(pingedNginx.url + path(pinged));
    await assertOutlasts(socket);
    const [code] = await within(end, {
      what: "nginx closes the connection",
      ms: MS,
    });
    assert.equal(code, 1006);
    socket.terminate();
  },
);

nginxTest(
  "pings also keep the stream of a worker's tunnel open through nginx",
  async () => {
    await using scene = await tunnelScene({
      settings: { websocket_ping_seconds: 1 },
      upstream: { onSocket: (socket) => void socket.resume() },
    });
    await using nginx = await startNginxBefore(scene.grid.url);
    await scene.start({ reach: "tunnel", tunnelUrl: nginx.url });
    const id = await scene.running();
    const socket = await connectClient(`${nginx.url}/v1/sessions/${id}/cdp`);
    await assertOutlasts(socket);
    socket.terminate();
  },
);
