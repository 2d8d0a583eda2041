import assert from "node:assert/strict";
import {
  type RunningServer,
  startServer,
} from "../../../src/http/server/server.ts";
import { rawHttp } from "../../support/raw_http.ts";

/** Starts a server that responds to a request when the test lets it. */
async function slowServer(): Promise<
  RunningServer & {
    readonly url: string;
    /** Resolves with the path of the next request that is being served. */
    next(): Promise<string>;
    /** Paths of active requests without a response. */
    readonly unanswered: readonly string[];
    answer(): void;
  }
> {
  const unanswered: string[] = [];
  const answers: (() => void)[] = [];
  const seen: string[] = [];
  let wake = () => {};
  const server = await startServer({
    host: "127.0.0.1",
    port: 0,
    upgraders: [],
    graceMs: 0,
    fetch(request) {
      const { pathname } = new URL(request.url);
      unanswered.push(pathname);
      seen.push(pathname);
      wake();
      return new Promise((resolve) =>
        answers.push(() => resolve(new Response(`said ${pathname}`)))
      );
    },
  });
  return {
    ...server,
    url: `http://127.0.0.1:${server.port}`,
    unanswered,
    async next() {
      while (seen.length === 0) await new Promise<void>((go) => wake = go);
      return seen.shift() ?? "";
    },
    answer() {
      unanswered.shift();
      answers.shift()?.();
    },
  };
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

Deno.test("requests of one connection are served sequentially, concurrently with those of other connections", async () => {
  await using server = await slowServer();
  using first = await rawHttp(
    server.url,
    [1, 2, 3].map((n) => get(`/${n}`)).join(""),
  );
  assert.equal(await server.next(), "/1");
  using other = await rawHttp(server.url, get("/other"));
  assert.equal(await server.next(), "/other");
  assert.deepEqual(server.unanswered, ["/1", "/other"]);
  server.answer();
  await first.until("said /1");
  assert.equal(await server.next(), "/2");
  server.answer();
  await other.until("said /other");
  server.answer();
  assert.equal(await server.next(), "/3");
  server.answer();
  assert.match(await first.until("said /3"), /said \/1[^]*said \/2/);
});

Deno.test("a connection with too many waiting requests is closed, and none of them is served", async () => {
  await using server = await slowServer();
  using client = await rawHttp(server.url, get("/many").repeat(300));
  assert.equal((await client.closed).text, "");
  using other = await rawHttp(server.url, get("/other"));
  assert.equal(await server.next(), "/many");
  assert.equal(await server.next(), "/other");
  server.answer();
  server.answer();
  await other.until("said /other");
  assert.deepEqual(server.unanswered, []);
});
