import assert from "node:assert/strict";
import { once } from "node:events";
import { startEgressProxy } from "../../../../src/providers/kit/egress/proxy.ts";
import { rawHttp } from "../../../support/raw_http.ts";

/** Creates a resolver that responds when released. */
function slowNames() {
  const waiting: (() => void)[] = [];
  let seen = Promise.withResolvers<void>();
  return {
    /** Returns the number of pending lookups. */
    count: () => waiting.length,
    resolve(): Promise<readonly string[]> {
      const { promise, resolve } = Promise.withResolvers<readonly string[]>();
      waiting.push(() => resolve([]));
      seen.resolve();
      return promise;
    },
    async waitForLookups(count: number): Promise<void> {
      while (waiting.length < count) {
        seen = Promise.withResolvers();
        await seen.promise;
      }
    },
    answer: () => waiting.splice(0).forEach((each) => each()),
  };
}

const request = (name: string) => `CONNECT ${name}.test:443 HTTP/1.1\r\n\r\n`;

Deno.test("a proxy looks up at most four names concurrently, a process sixteen, and every client gets a response", async () => {
  await using stack = new AsyncDisposableStack();
  const names = slowNames();
  const { resolve } = names;
  const closed: Promise<unknown>[] = [];
  async function ask(url: string, count: number): Promise<void> {
    for (let at = 0; at < count; at++) {
      const client = stack.use(await rawHttp(url, request(`n${at}`)));
      closed.push(client.closed);
    }
  }
  const [first, ...others] = await Promise.all(
    Array.from(
      { length: 6 },
      async () => stack.use(await startEgressProxy({ resolve })).url,
    ),
  );
  assert(first);
  await ask(first, 20);
  await names.waitForLookups(4);
  // Lookups of this proxy wait; those of others do not.
  for (const [at, url] of others.slice(0, 3).entries()) {
    await ask(url, 5);
    await names.waitForLookups(4 * (at + 2));
  }
  assert.equal(names.count(), 16);
  for (const url of others.slice(3)) await ask(url, 5);
  // A request for an address needs no lookup, and is served after all earlier ones were read.
  using last = await rawHttp(first, "CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n");
  assert.equal((await last.closed).status, 502);
  assert.equal(names.count(), 16);
  const answered = Promise.all(closed);
  let isOver = false;
  void answered.then(() => isOver = true);
  while (!isOver) {
    names.answer();
    await Promise.race([answered, names.waitForLookups(1)]);
  }
});

Deno.test("a client that has left starts no lookup, and an aborted lookup keeps its place until it has ended", async () => {
  const names = slowNames();
  await using proxy = await startEgressProxy({ resolve: names.resolve });
  const gone = await Promise.all(
    [1, 2, 3, 4, 5, 6].map((at) => rawHttp(proxy.url, request(`n${at}`))),
  );
  await names.waitForLookups(4);
  for (const { socket } of gone) {
    socket.destroy();
    await once(socket, "close");
  }
  using next = await rawHttp(proxy.url, request("next"));
  using last = await rawHttp(
    proxy.url,
    "CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n",
  );
  assert.equal((await last.closed).status, 502);
  // Lookups of the system continue although their clients have left.
  assert.equal(names.count(), 4);
  names.answer();
  await names.waitForLookups(1);
  names.answer();
  assert.match((await next.closed).text, /502 .*next\.test.*no address/);
});
