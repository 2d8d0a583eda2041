import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { z } from "@hono/zod-openapi";
import fc from "fast-check";
import { fakePage } from "../support/fake_page.ts";
import { rawHttp } from "../support/raw_http.ts";
import { type GatewayScene, gatewayScene } from "./scene.ts";

const addressSchema = z.object({ port: z.int() });

/** A host that no request may reach. */
interface Trap extends AsyncDisposable {
  readonly host: string;
  /** Returns the number of connections to the host. */
  visits(): number;
}

async function startTrap(): Promise<Trap> {
  let visits = 0;
  const server = createServer((socket) => {
    visits++;
    socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = addressSchema.parse(server.address());
  return {
    host: `127.0.0.1:${port}`,
    visits: () => visits,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

const HANDSHAKE = "Connection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** A request that is written to the socket without URL parsing. */
interface Attempt {
  readonly method?: string;
  readonly target: string;
  readonly host?: string;
  readonly isUpgrade?: boolean;
}

/** Sends a request and returns the status of the response. */
async function requestStatus(
  { grid }: GatewayScene,
  { method = "GET", target, host, isUpgrade }: Attempt,
): Promise<number> {
  const { host: gridHost } = new URL(grid.url);
  const head = `${method} ${target} HTTP/1.1\r\nHost: ${host ?? gridHost}\r\n` +
    `${isUpgrade ? HANDSHAKE : "Connection: close\r\n"}\r\n`;
  using client = await rawHttp(grid.url, head);
  const text = await Promise.race([
    client.until("\r\n\r\n"),
    client.closed.then((response) => response.text),
  ]);
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
}

/** Asserts that all requests have gone to the session's browser, to one of its two folders. */
function assertOnlyBrowser({ upstream }: GatewayScene, trap: Trap): void {
  assert.equal(trap.visits(), 0, "another host was reached");
  for (const asked of upstream.asked) {
    assert.match(asked, /^(GET|PUT) \/(json|devtools)\/[^ \\?]*(\?[^ ]*)?$/);
    const [, target = ""] = asked.split(" ");
    assert.ok(!target.split("?")[0]?.includes(".."), asked);
  }
}

async function scene(): Promise<GatewayScene> {
  return await gatewayScene({ upstream: { page: fakePage() } });
}

/** Requests for session `id` that name another host, `trap`, and the status of the response. */
const ATTEMPTS: readonly {
  readonly name: string;
  readonly render: (id: string, trap: string) => Attempt;
  readonly status: number;
}[] = [
  {
    name: "a target with another host",
    render: (id, trap) => ({
      target: `http://${trap}/v1/sessions/${id}/cdp/json/list`,
    }),
    // Only the path counts.
    status: 200,
  },
  {
    name: "a handshake with a target with another host",
    render: (id, trap) => ({
      target: `http://${trap}/v1/sessions/${id}/cdp/devtools/page/PAGE`,
      isUpgrade: true,
    }),
    status: 101,
  },
  {
    name: "another Host",
    render: (id, trap) => ({
      target: `/v1/sessions/${id}/cdp/json/list`,
      host: trap,
    }),
    status: 200,
  },
  {
    name: "a Host with a user name and another host",
    render: (id, trap) => ({
      target: `/v1/sessions/${id}/cdp/json/list`,
      host: `grid@${trap}`,
    }),
    status: 400,
  },
  {
    name: "a target that starts with two slashes",
    render: (id, trap) => ({
      target: `//${trap}/v1/sessions/${id}/cdp/json/list`,
    }),
    status: 404,
  },
  {
    name: "a host in place of the session's id",
    render: (_, trap) => ({
      target: `/v1/sessions/${encodeURIComponent(`@${trap}/`)}/cdp/json/list`,
    }),
    status: 404,
  },
  ...[
    "..%2f..%2fjson%2fversion",
    "%2e%2e%2fversion",
    "%2f%2fevil.example%2f",
    "..%5cversion",
    "PAGE%2f..%2fPAGE",
    "PAGE%3fws=evil.example",
    "PAGE%23",
    "PAGE%0d%0aHost:%20evil.example",
    "PAGE%00",
    "@evil.example",
    "evil.example:80",
  ].flatMap((target) =>
    [
      `cdp/json/close/${target}`,
      `cdp/json/activate/${target}`,
      `screenshot?target_id=${target}`,
      `content?target_id=${target}`,
    ].map((path) => ({
      name: path,
      render: (id: string) => ({ target: `/v1/sessions/${id}/${path}` }),
      status: 404,
    }))
  ),
  ...[
    "page/..%2f..%2fjson%2fnew",
    "page/PAGE%2f..",
    "page/..",
    "page/",
    "page/PAGE/evil.example",
    "page/@evil.example",
    "page/PAGE%3fws=evil.example",
    "worker/PAGE",
    "../json/new?http://evil.example/",
  ].map((path) => ({
    name: `a handshake for ${path}`,
    render: (id: string) => ({
      target: `/v1/sessions/${id}/cdp/devtools/${path}`,
      isUpgrade: true,
    }),
    status: 404,
  })),
  {
    name: "a handshake with a backslash",
    render: (id) => ({
      target: `/v1/sessions/${id}/cdp\\..\\..\\evil.example`,
      isUpgrade: true,
    }),
    status: 400,
  },
  {
    name: "a page's socket with another address in the query",
    render: (id, trap) => ({
      target: `/v1/sessions/${id}/cdp/devtools/page/PAGE?ws=${trap}`,
      isUpgrade: true,
    }),
    status: 101,
  },
  {
    // The browser opens the URL, not the server.
    name: "a new page of another host",
    render: (id, trap) => ({
      method: "PUT",
      target: `/v1/sessions/${id}/cdp/json/new?http://${trap}/`,
    }),
    status: 200,
  },
];

Deno.test("no request makes the gateway connect to another host or to other paths of the browser", async (t) => {
  await using s = await scene();
  await using trap = await startTrap();
  for (const { name, render, status } of ATTEMPTS) {
    await t.step(name, async () => {
      assert.equal(
        await requestStatus(s, render(s.sessionId, trap.host)),
        status,
      );
      assertOnlyBrowser(s, trap);
    });
  }
  assert.ok(s.upstream.asked.includes(`PUT /json/new?http://${trap.host}/`));
});

Deno.test("no combination of path pieces makes the gateway connect to another host or to other paths of the browser", async () => {
  await using s = await scene();
  await using trap = await startTrap();
  const piece = fc.constantFrom(
    "..",
    "/",
    "//",
    "\\",
    "@",
    "?",
    "#",
    "%2f",
    "%2e%2e",
    "%5c",
    "%0d%0a",
    "%00",
    ":",
    "PAGE",
    "json/version",
    "devtools/page/PAGE",
    trap.host,
    `http://${trap.host}/`,
    `ws=${trap.host}`,
  );
  const pieces = fc.array(piece, { minLength: 1, maxLength: 6 });
  const place = fc.constantFrom(
    "cdp/",
    "cdp/devtools/page/",
    "cdp/json/close/",
    "cdp/json/new?",
    "cdp/json/",
    "content?target_id=",
  );
  await fc.assert(
    fc.asyncProperty(
      place,
      pieces.map((each) => each.join("")),
      fc.boolean(),
      fc.constantFrom("GET", "PUT"),
      async (place, rest, isUpgrade, method) => {
        const target = `/v1/sessions/${s.sessionId}/${place}${rest}`;
        await requestStatus(s, { target, isUpgrade, method });
        assertOnlyBrowser(s, trap);
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("the gateway does not follow redirects of the browser to another host", async () => {
  await using trap = await startTrap();
  await using s = await gatewayScene({
    upstream: { redirect: `http://${trap.host}/` },
  });
  const path = `/v1/sessions/${s.sessionId}`;
  for (const target of [`${path}/cdp/json/version`, `${path}/content`]) {
    assert.equal(await requestStatus(s, { target }), 503);
  }
  const target = `${path}/cdp/devtools/page/PAGE`;
  assert.equal(await requestStatus(s, { target, isUpgrade: true }), 404);
  const attempt = { target: `${path}/content?target_id=PAGE` };
  assert.equal(await requestStatus(s, attempt), 503);
  assertOnlyBrowser(s, trap);
});
