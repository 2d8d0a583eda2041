/**
 * The target of attacks in a separate network: files and servers of a host, which browsers must not reach.
 *
 * @module
 */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { WebSocketServer } from "ws";
import type { BrowserHost, RunningBrowser } from "../../src/core/provider.ts";
import { LocalHost } from "../../src/providers/local/host.ts";
import { browserSpec } from "./browser_spec.ts";

/** Content of every file and server of the host. */
export const SECRET = "HOST-SECRET";

/** Addresses of the host in the test's network: private ones, and a public one. */
export const OWN_ADDRESSES = ["10.77.1.1", "11.22.33.44", "fd77::1"] as const;

/** Names in the network's hosts file: an allowed site, and one that resolves to loopback. */
export const SITE_NAME = "site.test";
export const REBOUND_NAME = "rebound.test";

/** The host of browsers, its secrets, and an allowed site. */
export interface SandboxScene extends AsyncDisposable {
  readonly host: BrowserHost;
  readonly folder: string;
  readonly secretFile: string;
  readonly secretPort: number;
  readonly sitePort: number;
  start(
    sessionId: string,
    overrides?: Parameters<typeof browserSpec>[0],
  ): Promise<RunningBrowser>;
}

/** @param isBoxed True if browsers are isolated. */
export async function sandboxScene(isBoxed: boolean): Promise<SandboxScene> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  await Deno.chmod(folder, 0o755);
  const secretFile = join(folder, "secret.txt");
  await Deno.writeTextFile(secretFile, SECRET);
  const secret = stack.adopt(await listening("::", SECRET), close);
  const site = stack.adopt(await listening("::", "SITE-OK"), close);
  const sockets = new WebSocketServer({ server: site });
  sockets.on("connection", (socket) => socket.send("hello-ws"));
  stack.defer(() => {
    for (const each of sockets.clients) each.terminate();
  });
  const host = stack.use(
    new LocalHost({ arguments: [], sandbox: "auto" }, {
      gridId: "grid-1",
      workerId: "worker-1",
      dataDir: join(folder, "data"),
    }),
  );
  stack.defer(async () => {
    await host.sweep(new Set());
  });
  const allow = [`${SITE_NAME}:${readPort(site)}`];
  const owned = stack.move();
  return {
    host,
    folder,
    secretFile,
    secretPort: readPort(secret),
    sitePort: readPort(site),
    start: (sessionId, overrides = {}) =>
      host.start(
        browserSpec({
          isolated: isBoxed,
          // A pool that limits egress isolates its sessions.
          egress: {
            mode: overrides.isolated ?? isBoxed ? "no_private" : "open",
            allow,
            pool: "crawlers",
          },
          ...overrides,
        }),
        sessionId,
        new AbortController().signal,
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function listening(address: string, text: string): Promise<Server> {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/plain");
    response.setHeader("access-control-allow-origin", "*");
    response.end(text);
  });
  server.listen(0, address);
  await once(server, "listening");
  return server;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

function readPort(server: Server): number {
  return (server.address() as AddressInfo).port; // The server listens on a port.
}
