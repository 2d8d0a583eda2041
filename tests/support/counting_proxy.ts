import { once } from "node:events";
import { createServer, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";

/** An HTTP proxy on loopback that records its requests. */
export interface CountingProxy extends AsyncDisposable {
  readonly url: string;
  /** Requests in order, as `GET http://host:port/path` and `CONNECT host:port`. */
  readonly seen: readonly string[];
}

/**
 * Starts a proxy that resolves every name below `.test` to this machine. No other resolver knows such names, so a
 * request for one must have used the proxy. With `credentials` it responds 407 to other credentials.
 */
export async function startCountingProxy(
  { credentials }: { readonly credentials?: string } = {},
): Promise<CountingProxy> {
  const seen: string[] = [];
  const tunnels = new Set<Duplex>();
  const wanted = credentials === undefined
    ? undefined
    : `Basic ${new TextEncoder().encode(credentials).toBase64()}`;
  const server = createServer((asked, answer) => {
    const url = new URL(asked.url ?? "", "http://nowhere.test");
    seen.push(`${asked.method} ${url}`);
    const { "proxy-authorization": shown, ...headers } = asked.headers;
    if (wanted !== undefined && shown !== wanted) {
      return void answer.writeHead(407).end();
    }
    const options = { method: asked.method ?? "GET", headers };
    const onward = request(
      {
        ...options,
        host: resolveHost(url.hostname),
        port: url.port,
        path: url.pathname + url.search,
      },
      (got) => {
        answer.writeHead(got.statusCode ?? 502, got.headers);
        got.pipe(answer);
      },
    );
    onward.on("error", () => answer.destroy());
    answer.on("close", () => onward.destroy());
    asked.pipe(onward);
  });
  server.on("connect", (asked, near: Duplex, head: Uint8Array) => {
    seen.push(`CONNECT ${asked.url}`);
    if (
      wanted !== undefined && asked.headers["proxy-authorization"] !== wanted
    ) {
      return void near.end(
        "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
      );
    }
    const { hostname, port } = new URL(`http://${asked.url}`);
    const far = connect(Number(port || 80), resolveHost(hostname));
    for (const [one, other] of [[near, far], [far, near]] as const) {
      tunnels.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        tunnels.delete(one);
        other.destroy();
      });
    }
    far.once("connect", () => {
      near.write("HTTP/1.1 200 Connection established\r\n\r\n");
      if (head.length > 0) far.write(head);
      near.pipe(far);
      far.pipe(near);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // The address of a TCP server is never text.
  const user = credentials === undefined ? "" : `${credentials}@`;
  return {
    url: `http://${user}127.0.0.1:${port}`,
    seen,
    async [Symbol.asyncDispose]() {
      for (const tunnel of tunnels) tunnel.destroy();
      server.closeAllConnections();
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

/** Resolves a name to this machine, or fails. */
function resolveHost(name: string): string {
  return name.endsWith(".test") ? "127.0.0.1" : "0.0.0.0";
}
