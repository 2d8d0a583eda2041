import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTcpServer, type Server } from "node:net";
import ipaddr from "ipaddr.js";
import { dockerTest } from "../../../support/docker.ts";
import {
  ADDRESSES,
  createEgressNetworks,
  type EgressNetworks,
} from "../../../support/egress_networks.ts";
import { REJECTED, startIn } from "../../../support/egress_session.ts";

/** A page's request to a proxy: the target, and the sender. */
interface Asked {
  readonly target: string | undefined;
  readonly authorization: string | undefined;
}

/** Starts an HTTP proxy on the host that responds to every request itself. */
async function startProxy(
  asked: Asked[],
): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createServer(({ url, headers }, response) => {
    asked.push({ target: url, authorization: headers["proxy-authorization"] });
    response.end("BY-PROXY");
  }).listen(0, ADDRESSES.gateway);
  await once(server, "listening");
  return {
    port: readPort(server),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Starts a SOCKS5 proxy on the host that requires a password and responds to every request itself. */
async function startSocks(
  asked: Asked[],
): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createTcpServer(async (socket) => {
    const next = async () => (await once(socket, "data"))[0] as Uint8Array;
    await next();
    socket.write(Uint8Array.of(5, 2));
    const login = new TextDecoder().decode(await next());
    socket.write(Uint8Array.of(1, 0));
    const request = await next();
    asked.push({
      target: request.slice(4, -2).join(),
      authorization: login.slice(1),
    });
    socket.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
    await next();
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nBY-SOCKS");
  }).listen(0, ADDRESSES.gateway);
  await once(server, "listening");
  return {
    port: readPort(server),
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

function readPort(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

async function checkProxies({ privateNetwork }: EgressNetworks): Promise<void> {
  const asked: Asked[] = [];
  await using http = await startProxy(asked);
  await using socks = await startSocks(asked);
  const through = (proxy_url: string, allow: readonly string[]) =>
    startIn(privateNetwork, { allow }, {
      proxy: { proxy_url, proxy_username: "me", proxy_password: "p:w" },
    });
  const at = `${ADDRESSES.gateway}:${http.port}`;
  {
    await using session = await through(`http://${at}`, []);
    assert.match(await session.read("http://site.test/"), REJECTED);
    assert.equal(asked.length, 0, "the proxy's own address is private");
  }
  {
    const allow = [at, "intranet.test"];
    await using session = await through(`http://${at}`, allow);
    // A proxy of the private network receives a checked address.
    assert.equal(await session.read("http://intranet.test/a?b"), "BY-PROXY");
    for (const host of [ADDRESSES.site, "site.test"]) {
      assert.match(await session.read(`http://${host}:8080/`), REJECTED);
    }
  }
  {
    const address = `${ADDRESSES.gateway}:${socks.port}`;
    const allow = [address, "intranet.test"];
    await using session = await through(`socks5://${address}`, allow);
    assert.equal(await session.read("http://intranet.test/"), "BY-SOCKS");
  }
  const authorizations = (isMeant: (target: string) => boolean) =>
    new Set(
      asked.filter(({ target = "" }) => isMeant(target)).map((each) =>
        each.authorization
      ),
    );
  const hosts = [ADDRESSES.site, `[${ADDRESSES.site6}]`];
  const pages = hosts.map((host) => `http://${host}:80/a?b`);
  assert.deepEqual(
    authorizations((target) => pages.includes(target)),
    new Set([`Basic ${btoa("me:p:w")}`]),
  );
  const addresses = [ADDRESSES.site, ADDRESSES.site6].map((address) =>
    ipaddr.parse(address).toByteArray().join()
  );
  assert.deepEqual(
    authorizations((target) => addresses.includes(target)),
    new Set(["\u0002me\u0003p:w"]),
  );
}

dockerTest(
  "a session's proxy is used if its address is allowed, and receives only allowed addresses",
  async () => {
    await using networks = await createEgressNetworks();
    await checkProxies(networks);
  },
);
