import assert from "node:assert/strict";
import { registrationExample } from "../../../src/apps/workers/examples.ts";
import { registrationSchema } from "../../../src/apps/workers/schemas.ts";
import type { HostInfo } from "../../../src/core/provider.ts";
import { Registry } from "../../../src/core/registry.ts";
import {
  findBrowsers,
  openHost,
  startPreparing,
  startSweeping,
} from "../../../src/worker/host/browser_host.ts";
import { Outbox } from "../../../src/worker/outbox.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { createFakeClock } from "../../support/clock.ts";
import { settle } from "../../support/event_loop.ts";
import {
  createFakeBrowser,
  createFakeProvider,
} from "../../support/fake_provider.ts";
import { logRecords } from "../../support/log_records.ts";

const HELD = [{
  session_id: "a",
  fencing_token: 1,
  status: "running",
}] as const;

Deno.test("openHost() opens the pool's provider for this worker, and adds its progress to the sessions that are starting", async () => {
  const provider = createFakeProvider();
  let info: HostInfo | undefined;
  const outbox = new Outbox();
  await openHost({
    providers: new Registry("provider", [{
      ...provider,
      open: (config, given) => {
        info = given;
        return provider.open(config, given);
      },
    }]),
    dataDir: "/data",
    serverUrl: "http://grid",
    localSandbox: "off",
    registration: registrationSchema.parse({
      ...registrationExample,
      provider_type: "fake",
    }),
    outbox,
  });
  assert.partialDeepStrictEqual(info, {
    gridId: registrationExample.grid_id,
    workerId: registrationExample.worker.id,
    dataDir: "/data",
    serverUrl: "http://grid",
    localSandbox: "off",
  });
  const report = { session_id: "a", fencing_token: 1 };
  outbox.put({ ...report, status: "starting" });
  outbox.put({ ...report, session_id: "b", status: "running" });
  info?.onProgress?.("Pulling the image: 40 %");
  assert.deepEqual(
    outbox.snapshot().map(({ progress }) => progress),
    [["Pulling the image: 40 %"], undefined],
  );
});

Deno.test("findBrowsers() returns what the host adopts", async () => {
  const browser = createFakeBrowser(browserSpec(), "a");
  const found = await findBrowsers(
    { adopt: () => Promise.resolve([browser]) },
    HELD,
    { clock: createFakeClock(), trustedUntil: 0 },
  );
  assert.deepEqual(found, [browser]);
});

Deno.test("findBrowsers() retries every 2 s while sessions are held and their leases are trusted", async () => {
  const clock = createFakeClock();
  let tries = 0;
  const adopt = () => {
    tries++;
    return Promise.reject(new Error("the engine is down"));
  };
  const finding = findBrowsers({ adopt }, HELD, { clock, trustedUntil: 5_000 });
  for (let seconds = 0; seconds < 4; seconds += 2) {
    await settle();
    clock.advance(2_000);
  }
  assert.deepEqual(await finding, []);
  assert.equal(tries, 3, "at 0, 2 and 4 s");
});

Deno.test("findBrowsers() does not retry if no session is held", async () => {
  const adopt = () => Promise.reject(new Error("the engine is down"));
  const clock = createFakeClock();
  const found = await findBrowsers({ adopt }, [], { clock, trustedUntil: 1e9 });
  assert.deepEqual(found, []);
});

Deno.test("findBrowsers() rejects with the reason of its signal during a pause", async () => {
  const stop = new AbortController();
  const finding = findBrowsers(
    { adopt: () => Promise.reject(new Error("the engine is down")) },
    HELD,
    { clock: createFakeClock(), trustedUntil: 1e9, signal: stop.signal },
  );
  await settle();
  stop.abort(new Error("enough"));
  await assert.rejects(finding, /enough/);
});

Deno.test("startSweeping() sweeps immediately and every minute, with a live view of the held sessions", async () => {
  const clock = createFakeClock();
  const held = new Set(["a"]);
  const kept: string[][] = [];
  const sweeping = startSweeping(
    {
      sweep: (keep) => {
        kept.push([...keep]);
        return Promise.resolve(["left"]);
      },
    },
    held,
    clock,
  );
  await settle();
  held.add("b");
  clock.advance(59_999);
  await settle();
  assert.equal(kept.length, 1);
  clock.advance(1);
  await settle();
  assert.deepEqual(kept, [["a"], ["a", "b"]]);
  await sweeping[Symbol.asyncDispose]();
  clock.advance(600_000);
  await settle();
  assert.equal(kept.length, 2);
});

Deno.test("startSweeping() retries a failed sweep after 2 s, and logs the first failure", async () => {
  const clock = createFakeClock();
  await using log = await logRecords();
  let sweeps = 0;
  await using _sweeping = startSweeping(
    {
      sweep: () => {
        sweeps++;
        return Promise.reject(new Error("the engine is down"));
      },
    },
    new Set(),
    clock,
  );
  for (let tries = 1; tries < 4; tries++) {
    await settle();
    assert.equal(sweeps, tries);
    clock.advance(2_000);
  }
  await settle();
  assert.equal(log.records.length, 1);
});

Deno.test("startPreparing() prepares in the background until disposed, and logs a failure", async () => {
  await using log = await logRecords();
  const { promise, reject } = Promise.withResolvers<void>();
  let signal: AbortSignal | undefined;
  const prepare = (given: AbortSignal) => {
    signal = given;
    return promise;
  };
  startPreparing({ prepare });
  reject(new Error("the image is missing"));
  await settle();
  assert.equal(log.records.length, 1);
  const stopped = startPreparing({
    prepare: (given) => {
      signal = given;
      return new Promise((_, fail) =>
        given.addEventListener("abort", () => fail(given.reason))
      );
    },
  });
  stopped[Symbol.dispose]();
  await settle();
  assert.ok(signal?.aborted);
  assert.equal(log.records.length, 1, "an aborted preparation is no failure");
});
