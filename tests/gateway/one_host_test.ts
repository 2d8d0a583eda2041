import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { fakePage } from "../support/fake_page.ts";
import { rawHttp } from "../support/raw_http.ts";
import { type GatewayScene, gatewayScene } from "./scene.ts";

/** A host that nobody may be led to. */
interface Trap extends AsyncDisposable {
  readonly host: string;
  /** Connections that it got. */
  visits(): number;
}

async function setTrap(): Promise<Trap> {
  let visits = 0;
  const server = createServer((socket) => {
    visits++;
    socket.destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // A TCP server's address is never text.
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

/** A request as no URL parser has seen it. */
interface Attempt {
  readonly method?: string;
  readonly target: string;
  readonly host?: string;
  readonly isUpgrade?: boolean;
}

/** Status of the answer. */
async function statusOf(
  { grid }: GatewayScene,
  { method = "GET", target, host, isUpgrade }: Attempt,
): Promise<number> {
  const { host: own } = new URL(grid.url);
  const head = `${method} ${target} HTTP/1.1\r\nHost: ${host ?? own}\r\n` +
    `${isUpgrade ? HANDSHAKE : "Connection: close\r\n"}\r\n`;
  using client = await rawHttp(grid.url, head);
  const text = await Promise.race([
    client.until("\r\n\r\n"),
    client.closed.then((answer) => answer.text),
  ]);
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
}

/** Asserts that nothing has left the session's own browser and its two folders. */
function assertAtHome({ upstream }: GatewayScene, trap: Trap): void {
  assert.equal(trap.visits(), 0, "another host was visited");
  for (const asked of upstream.asked) {
    assert.match(asked, /^(GET|PUT) \/(json|devtools)\/[^ \\?]*(\?[^ ]*)?$/);
    const [, target = ""] = asked.split(" ");
    assert.ok(!target.split("?")[0]?.includes(".."), asked);
  }
}

async function scene(): Promise<GatewayScene> {
  return await gatewayScene({ upstream: { page: fakePage() } });
}

/** What is asked in the name of session `id`, and how it is answered; the trap is at `trap`. */
const ATTEMPTS: readonly {
  readonly what: string;
  readonly of: (id: string, trap: string) => Attempt;
  readonly status: number;
}[] = [
  {
    what: "a target that is another host's",
    of: (id, trap) => ({
      target: `http://${trap}/v1/sessions/${id}/cdp/json/list`,
    }),
    // It is the path that counts: the session's own browser is asked.
    status: 200,
  },
  {
    what: "a handshake with a target that is another host's",
    of: (id, trap) => ({
      target: `http://${trap}/v1/sessions/${id}/cdp/devtools/page/PAGE`,
      isUpgrade: true,
    }),
    status: 101,
  },
  {
    what: "a Host that is another",
    of: (id, trap) => ({
      target: `/v1/sessions/${id}/cdp/json/list`,
      host: trap,
    }),
    status: 200,
  },
  {
    what: "a Host with a name and another host",
    of: (id, trap) => ({
      target: `/v1/sessions/${id}/cdp/json/list`,
      host: `grid@${trap}`,
    }),
    status: 400,
  },
  {
    what: "a target that begins with two slashes",
    of: (id, trap) => ({
      target: `//${trap}/v1/sessions/${id}/cdp/json/list`,
    }),
    status: 404,
  },
  {
    what: "a host in place of the session's id",
    of: (_, trap) => ({
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
      what: path,
      of: (id: string) => ({ target: `/v1/sessions/${id}/${path}` }),
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
    what: `a handshake for ${path}`,
    of: (id: string) => ({
      target: `/v1/sessions/${id}/cdp/devtools/${path}`,
      isUpgrade: true,
    }),
    status: 404,
  })),
  {
    what: "a handshake with a backslash",
    of: (id) => ({
      target: `/v1/sessions/${id}/cdp\\..\\..\\evil.example`,
      isUpgrade: true,
    }),
    status: 400,
  },
  {
    what: "a page's socket with another address in the query",
    of: (id, trap) => ({
      target: `/v1/sessions/${id}/cdp/devtools/page/PAGE?ws=${trap}`,
      isUpgrade: true,
    }),
    status: 101,
  },
  {
    // The browser opens it, from where it is: the server does not.
    what: "a new page of another host",
    of: (id, trap) => ({
      method: "PUT",
      target: `/v1/sessions/${id}/cdp/json/new?http://${trap}/`,
    }),
    status: 200,
  },
];

Deno.test("no request, whatever is written into it, leads the gateway to another host, or to other paths of the browser", async (t) => {
  await using s = await scene();
  await using trap = await setTrap();
  for (const { what, of, status } of ATTEMPTS) {
    await t.step(what, async () => {
      assert.equal(await statusOf(s, of(s.sessionId, trap.host)), status);
      assertAtHome(s, trap);
    });
  }
  assert.ok(s.upstream.asked.includes(`PUT /json/new?http://${trap.host}/`));
});

Deno.test("neither does any mixture of what leads elsewhere", async () => {
  await using s = await scene();
  await using trap = await setTrap();
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
        await statusOf(s, { target, isUpgrade, method });
        assertAtHome(s, trap);
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("a browser that sends to another host is not followed there", async () => {
  await using trap = await setTrap();
  await using s = await gatewayScene({
    upstream: { redirect: `http://${trap.host}/` },
  });
  const path = `/v1/sessions/${s.sessionId}`;
  for (const target of [`${path}/cdp/json/version`, `${path}/content`]) {
    assert.equal(await statusOf(s, { target }), 503);
  }
  const target = `${path}/cdp/devtools/page/PAGE`;
  assert.equal(await statusOf(s, { target, isUpgrade: true }), 404);
  const own = { target: `${path}/content?target_id=PAGE` };
  assert.equal(await statusOf(s, own), 503);
  assertAtHome(s, trap);
});
