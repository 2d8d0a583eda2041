/**
 * The contract of every provider, as tests. A provider's tests call {@linkcode testProvider} with functions that open
 * it and inspect the machine independently of it.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { systemClock } from "../../src/async/clock.ts";
import {
  connectTo,
  endOfStart,
  GRACE_MS,
  NEVER,
  nothingLeft,
  providerTest,
  type ProviderUnderTest,
  set,
  until,
} from "./provider_ground.ts";

/** Starts that are aborted, each after another time. */
const ABORTED_STARTS = 5;

/** Time within which a start is aborted. */
const START_MS = 600;

const PASSWORD = "planted-password-7";

/**
 * Declares the tests of the contract for the provider `name`.
 *
 * @param lacks Why the provider does not keep a sentence of the contract, by the sentence.
 */
export function testProvider(
  name: string,
  provider: ProviderUnderTest,
  lacks: Readonly<Record<string, string>> = {},
): void {
  const { spec } = provider;
  const sentences = new Set<string>();
  const contract = (sentence: string, fn: () => Promise<void>) => {
    sentences.add(sentence);
    const skip = provider.skip ?? lacks[sentence];
    providerTest(`${name}: ${sentence}`, { ...provider, skip }, fn);
  };

  contract("start() gives a browser that answers CDP", async () => {
    await using test = await set(provider);
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

  contract("prepare() makes the start that follows possible", async () => {
    await using test = await set(provider);
    await test.host.prepare?.(NEVER, spec());
    const browser = await test.host.start(spec(), "s", NEVER);
    await using client = await connectTo(browser);
    assert.match(await client.version(), /Chrome/);
    await browser.stop(GRACE_MS);
    assert.deepEqual(await test.ground.left(), []);
  });

  contract("prepare() is given up with the reason of its signal", async () => {
    await using test = await set(provider);
    assert.ok(test.host.prepare);
    const signal = AbortSignal.abort(new Error("no longer wanted"));
    await assert.rejects(test.host.prepare(signal, spec()), /no longer wanted/);
    await test.host.prepare(NEVER);
  });

  contract("revision() is the same as long as nothing changes", async () => {
    await using test = await set(provider);
    const ask = () => test.host.revision?.(spec(), NEVER);
    const first = await ask();
    assert.notEqual(first, "");
    assert.equal(await ask(), first);
  });

  contract("start() without a screen gives the size asked for", async () => {
    await using test = await set(provider);
    const screen = { width: 901, height: 703, dpi: 96, scale: 2 };
    const browser = await test.host.start(spec({ screen }), "s", NEVER);
    await using client = await connectTo(browser);
    const page = await client.newPage();
    const seen = await page.evaluate(
      "[screen.width, screen.height, outerWidth, outerHeight, devicePixelRatio]",
    );
    assert.deepEqual(seen, [901, 703, 901, 703, 2]);
    assert.match(await client.userAgent(), /Headless/);
    // Nor has it pages of its own beside the client's: they cost as much as all the rest of its start.
    const answer = await fetch(`http://${browser.endpoint.host}/json/list`);
    const targets: readonly { readonly type: string }[] = await answer.json();
    assert.deepEqual(targets.map(({ type }) => type), ["page", "page"]);
    await browser.stop(GRACE_MS);
  });

  contract(
    "start() with headless false gives a screen of the size asked for",
    async () => {
      await using test = await set(provider);
      const screen = { width: 901, height: 703, dpi: 96, scale: 1 };
      const browser = await test.host.start(
        spec({ headless: false, screen }),
        "s",
        NEVER,
      );
      await using client = await connectTo(browser);
      const page = await client.newPage();
      const seen = await page.evaluate(
        "[screen.width, screen.height, outerWidth, outerHeight]",
      );
      assert.deepEqual(seen, [901, 703, 901, 703]);
      assert.doesNotMatch(await client.userAgent(), /Headless/);
      await browser.stop(GRACE_MS);
      assert.deepEqual(await test.ground.left(), []);
    },
  );

  contract("start() gives the browser the variables asked for", async () => {
    await using test = await set(provider);
    const environment = { TZ: "Pacific/Kiritimati" };
    const browser = await test.host.start(spec({ environment }), "s", NEVER);
    await using client = await connectTo(browser);
    const page = await client.newPage();
    const zone = await page.evaluate(
      "Intl.DateTimeFormat().resolvedOptions().timeZone",
    );
    assert.equal(zone, "Pacific/Kiritimati");
    await browser.stop(GRACE_MS);
  });

  contract("start() gives the browser the arguments asked for", async () => {
    await using test = await set(provider);
    const agent = `it's "me"; $(echo) \\ * --no-sandbox`;
    const browser = await test.host.start(
      spec({
        arguments: ["--accept-lang=de-DE", `--user-agent=${agent}`],
      }),
      "s",
      NEVER,
    );
    await using client = await connectTo(browser);
    const page = await client.newPage();
    const seen = await page.evaluate(
      "[navigator.language, navigator.userAgent]",
    );
    assert.deepEqual(seen, ["de-DE", agent]);
    await browser.stop(GRACE_MS);
  });

  contract(
    "start() turns off the features in the arguments in addition to its own",
    async () => {
      await using test = await set(provider);
      const asked = spec({ arguments: ["--disable-features=PaintHolding"] });
      const browser = await test.host.start(asked, "s", NEVER);
      assert.match(
        await test.ground.commandLines(browser),
        /--disable-features=\S*Translate,\S*,PaintHolding/,
      );
      await browser.stop(0);
    },
  );

  contract(
    "start() reveals a proxy's password to no other process",
    async () => {
      await using test = await set(provider);
      const proxy = {
        proxy_url: "http://127.0.0.1:9",
        proxy_username: "user",
        proxy_password: PASSWORD,
      };
      const browser = await test.host.start(spec({ proxy }), "s", NEVER);
      const lines = await test.ground.commandLines(browser);
      assert.match(lines, /--proxy-server=/);
      const shown = [
        lines,
        JSON.stringify(browser.details),
        await browser.logs?.(1_000) ?? "",
      ].join("\n");
      assert.ok(!shown.includes(PASSWORD));
      assert.ok(!shown.includes(btoa(`user:${PASSWORD}`)));
      await browser.stop(GRACE_MS);
    },
  );

  contract("start() gives each session a profile of its own", async () => {
    await using test = await set(provider);
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

  contract("stop() is idempotent and leaves nothing", async () => {
    await using test = await set(provider);
    const browser = await test.host.start(spec(), "s", NEVER);
    assert.notDeepEqual(await test.ground.left(), []);
    await Promise.all([browser.stop(GRACE_MS), browser.stop(GRACE_MS)]);
    assert.deepEqual(await test.ground.left(), []);
    await browser.stop(0);
    assert.equal((await browser.exited).reason, "stopped");
  });

  contract("stop() with less patience hurries an earlier one", async () => {
    await using test = await set(provider);
    const browser = await test.host.start(spec(), "s", NEVER);
    await test.ground.freeze(browser);
    const asked = systemClock.monotonic();
    const patient = browser.stop(60_000);
    await browser.stop(0);
    await patient;
    assert.ok(systemClock.monotonic() - asked < 20_000);
    assert.deepEqual(await test.ground.left(), []);
  });

  contract("start() refuses at once when it is already aborted", async () => {
    await using test = await set(provider);
    const signal = AbortSignal.abort(new Error("no longer wanted"));
    await assert.rejects(
      test.host.start(spec(), "s", signal),
      /no longer wanted/,
    );
    assert.deepEqual(await test.ground.left(), []);
  });

  contract(
    "start() aborted when something is there leaves nothing",
    async () => {
      await using test = await set(provider);
      const abort = new AbortController();
      const starting = endOfStart(test.host.start(spec(), "s", abort.signal));
      await until(async () => (await test.ground.left()).length > 0);
      abort.abort(new Error("no longer wanted"));
      await starting;
      await nothingLeft(test.ground);
    },
  );

  contract("start() aborted at any moment leaves nothing", async () => {
    await using test = await set(provider);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: START_MS }),
        fc.boolean(),
        async (afterMs, headless) => {
          const abort = new AbortController();
          const id = crypto.randomUUID();
          const starting = endOfStart(
            test.host.start(spec({ headless }), id, abort.signal),
          );
          await systemClock.sleep(afterMs);
          abort.abort(new Error("no longer wanted"));
          await starting;
          await nothingLeft(test.ground);
        },
      ),
      { numRuns: ABORTED_STARTS, endOnFailure: true },
    );
  });

  contract("exited tells that and why a browser died", async () => {
    await using test = await set(provider);
    const browser = await test.host.start(spec(), "s", NEVER);
    await test.ground.kill(browser);
    const { reason, detail } = await browser.exited;
    assert.equal(reason, "crashed");
    assert.match(detail, /SIGKILL|137/);
    await browser.stop(0);
    assert.deepEqual(await browser.exited, { reason, detail });
    assert.deepEqual(await test.ground.left(), []);
  });

  contract("exited tells that a client closed the browser", async () => {
    await using test = await set(provider);
    const browser = await test.host.start(spec(), "s", NEVER);
    await using client = await connectTo(browser);
    await client.close();
    assert.equal((await browser.exited).reason, "stopped");
    await browser.stop(0);
    assert.deepEqual(await test.ground.left(), []);
  });

  contract(
    "adopt() gives a worker's next process its browsers, which answer and can be stopped",
    async () => {
      await using test = await set(provider);
      const started = await test.host.start(spec(), "session-1", NEVER);
      await test.host[Symbol.asyncDispose]();
      const next = await test.ground.openHost(test.owner);
      const adopted = await next.adopt();
      assert.deepEqual(adopted.map(({ sessionId }) => sessionId), [
        "session-1",
      ]);
      const [browser] = adopted;
      assert.ok(browser);
      assert.equal(browser.endpoint.href, started.endpoint.href);
      assert.deepEqual(
        Object.keys(browser.details).sort(),
        Object.keys(started.details).sort(),
      );
      await using client = await connectTo(browser);
      assert.match(await client.version(), /Chrome/);
      await browser.stop(GRACE_MS);
      assert.equal((await browser.exited).reason, "stopped");
      assert.deepEqual(await test.ground.left(), []);
      assert.deepEqual(await next.adopt(), []);
    },
  );

  contract("stop() leaves nothing also when its host is closed", async () => {
    await using test = await set(provider);
    const browser = await test.host.start(spec(), "s", NEVER);
    await test.host[Symbol.asyncDispose]();
    await browser.stop(0);
    assert.deepEqual(await test.ground.left(), []);
  });

  contract("exited of an adopted browser tells that it died", async () => {
    await using test = await set(provider);
    await test.host.start(spec(), "session-1", NEVER);
    await test.host[Symbol.asyncDispose]();
    const next = await test.ground.openHost(test.owner);
    const [browser] = await next.adopt();
    assert.ok(browser);
    await test.ground.kill(browser);
    assert.equal((await browser.exited).reason, "crashed");
    await browser.stop(0);
    assert.deepEqual(await test.ground.left(), []);
  });

  contract(
    "adopt() and sweep() leave the browsers of other workers and grids alone",
    async () => {
      await using test = await set(provider);
      const mine = await test.host.start(spec(), "mine", NEVER);
      const others = await Promise.all([
        test.ground.openHost({ ...test.owner, workerId: "worker-2" }),
        test.ground.openHost({ ...test.owner, gridId: crypto.randomUUID() }),
      ]);
      for (const other of others) {
        assert.deepEqual(await other.adopt(), []);
        assert.deepEqual(await other.sweep(new Set()), []);
      }
      await using client = await connectTo(mine);
      assert.match(await client.version(), /Chrome/);
      await mine.stop(GRACE_MS);
    },
  );

  contract(
    "sweep() ends what is not kept and tells which sessions that were",
    async () => {
      await using test = await set(provider);
      const [kept, dead] = await Promise.all([
        test.host.start(spec(), "kept", NEVER),
        test.host.start(spec(), "dead", NEVER),
      ]);
      assert.deepEqual(await test.host.sweep(new Set(["kept"])), ["dead"]);
      await dead.exited;
      await using client = await connectTo(kept);
      assert.match(await client.version(), /Chrome/);
      await kept.stop(GRACE_MS);
      assert.deepEqual(await test.ground.left(), []);
      await dead.stop(0);
      assert.deepEqual(await test.host.sweep(new Set()), []);
    },
  );

  contract("logs() and stats() tell of the browser", async () => {
    await using test = await set(provider);
    const browser = await test.host.start(spec(), "s", NEVER);
    assert.match(await browser.logs?.(1_000) ?? "", /DevTools listening on/);
    const one = await browser.logs?.(1) ?? "";
    assert.equal(one.split("\n").length, 1);
    await browser.stats?.();
    await using client = await connectTo(browser);
    const page = await client.newPage();
    await page.evaluate(
      "{ const end = performance.now() + 400; while (performance.now() < end); }",
    );
    const { memoryMb = 0, cpuPercent = 0 } = await browser.stats?.() ?? {};
    assert.ok(memoryMb > 20 && memoryMb < 20_000, `${memoryMb} MB`);
    assert.ok(cpuPercent > 5 && cpuPercent < 6_400, `${cpuPercent} %`);
    await browser.stop(GRACE_MS);
  });

  contract("probe() resolves while the browser responds", async () => {
    await using test = await set(provider);
    const browser = await test.host.start(spec(), "s", NEVER);
    assert.ok(browser.probe);
    await browser.probe(NEVER);
    await browser.stop(GRACE_MS);
    await assert.rejects(browser.probe(NEVER));
  });

  contract("check() says whether a browser can be started", async () => {
    await using test = await set(provider);
    const checks = await test.host.check();
    assert.ok(checks.length > 0);
    assert.deepEqual(
      checks.filter(({ status }) => status === "fail"),
      [],
    );
    for (const { name, detail } of checks) assert.ok(name && detail);
    assert.deepEqual(await test.ground.left(), []);
  });

  for (const sentence of Object.keys(lacks)) {
    assert.ok(sentences.has(sentence), `the contract has no "${sentence}"`);
  }
}
