import assert from "node:assert/strict";
import type { DeclareTest } from "./declare_test.ts";
import {
  connectTo,
  GRACE_MS,
  NEVER,
  openScene,
  type ProviderUnderTest,
} from "../provider_machine.ts";

/** Declares the tests of starting and preparing browsers. */
export function declareStartTests(
  contract: DeclareTest,
  provider: ProviderUnderTest,
): void {
  const { spec } = provider;

  contract("start() returns a browser that serves CDP", async () => {
    await using test = await openScene(provider);
    const browser = await test.host.start(spec(), "session-1", NEVER);
    assert.equal(browser.sessionId, "session-1");
    assert.match(browser.endpoint.href, /^ws:\/\/[^/]+\/devtools\/browser\//);
    const answer = await fetch(`http://${browser.endpoint.host}/json/version`);
    const overHttp: unknown = await answer.json();
    await using client = await connectTo(browser);
    const overSocket = await client.version();
    assert.match(overSocket, /^(Headless)?Chrome\/\d+\./);
    assert.partialDeepStrictEqual(overHttp, { Browser: overSocket });
    await browser.stop(GRACE_MS);
  });

  contract("prepare() makes the next start possible", async () => {
    await using test = await openScene(provider);
    await test.host.prepare?.(NEVER, spec());
    const browser = await test.host.start(spec(), "s", NEVER);
    await using client = await connectTo(browser);
    assert.match(await client.version(), /Chrome/);
    await browser.stop(GRACE_MS);
    assert.deepEqual(await test.machine.listResources(), []);
  });

  contract("prepare() rejects with the reason of its signal", async () => {
    await using test = await openScene(provider);
    assert.ok(test.host.prepare);
    const signal = AbortSignal.abort(new Error("no longer wanted"));
    await assert.rejects(test.host.prepare(signal, spec()), /no longer wanted/);
    await test.host.prepare(NEVER);
  });

  contract("start() creates a separate profile for each session", async () => {
    await using test = await openScene(provider);
    const [one, other] = await Promise.all([
      test.host.start(spec(), "one", NEVER),
      test.host.start(spec(), "other", NEVER),
    ]);
    assert.notEqual(one.endpoint.href, other.endpoint.href);
    await using oneClient = await connectTo(one);
    await using otherClient = await connectTo(other);
    const cookie = {
      name: "who",
      value: "one",
      domain: "site.example",
      expires: Date.now() / 1_000 + 3_600,
    };
    await oneClient.setCookie(cookie);
    assert.deepEqual((await oneClient.cookies()).map(({ name }) => name), [
      "who",
    ]);
    assert.deepEqual(await otherClient.cookies(), []);
    await Promise.all([one.stop(GRACE_MS), other.stop(GRACE_MS)]);
    const later = await test.host.start(spec(), "one", NEVER);
    await using laterClient = await connectTo(later);
    assert.deepEqual(await laterClient.cookies(), []);
    await later.stop(GRACE_MS);
  });
}
