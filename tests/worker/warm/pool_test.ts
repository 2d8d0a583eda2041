import assert from "node:assert/strict";
import fc from "fast-check";
import { type WarmScene, warmScene } from "../../support/warm_scene.ts";

const OTHER = { headless: false };

Deno.test("a session that requests the properties of a warm browser gets it immediately, and it is replaced", async () => {
  await using s = await warmScene();
  await s.want(1);
  assert.equal(s.warm.readyCount, 1);
  const [kept] = s.running();
  s.provider.knobs.startError = "no start is needed";
  s.take("a");
  await s.pass(0);
  assert.partialDeepStrictEqual(s.report("a"), {
    status: "running",
    endpoint: kept?.endpoint.href,
    warm: true,
  });
  assert.equal(s.warm.readyCount, 0);
  s.provider.knobs.startError = undefined;
  await s.pass();
  assert.equal(s.warm.readyCount, 1);
});

Deno.test("a session that requests any other property gets a new browser", async () => {
  await using s = await warmScene();
  await s.want(1, { environment: { TZ: "UTC" } });
  for (
    const fields of [
      {},
      { environment: { TZ: "UTC", LANG: "C" } },
      { environment: { TZ: "UTC" }, arguments: ["--lang=de"] },
      { environment: { TZ: "UTC" }, resource_limits: { cpu: 1 } },
      { environment: { TZ: "UTC" }, isolated: true },
      {
        environment: { TZ: "UTC" },
        egress: { mode: "no_private" as const, allow: [], pool: "pool" },
      },
    ]
  ) {
    s.take("a", fields);
    await s.pass(0);
    assert.equal(s.report("a")?.status, "running");
    assert.equal(s.report("a")?.warm, undefined);
    assert.ok(s.provider.running.has("a"));
    s.supervisor.endLost(["a"]);
    await s.pass(0);
  }
  assert.equal(s.warm.readyCount, 1);
});

Deno.test("a browser that was handed over ends with its session, and serves no other", async () => {
  await using s = await warmScene({ capacity: 1 });
  await s.want(1);
  const [kept] = s.running();
  s.take("a");
  await s.pass(0);
  s.supervisor.endLost(["a"]);
  await s.pass(0);
  s.take("b");
  await s.pass(0);
  assert.equal(s.report("b")?.status, "running");
  assert.notEqual(s.report("b")?.endpoint, kept?.endpoint.href);
  assert.equal((await kept?.exited)?.reason, "stopped");
});

Deno.test("a session waits for a start in progress, and starts a new browser if that fails", async () => {
  await using s = await warmScene({ capacity: 1 });
  const hold = Promise.withResolvers<void>();
  s.provider.knobs.hold = hold.promise;
  await s.want(1);
  s.take("a");
  await s.pass(0);
  assert.equal(s.report("a")?.status, "starting");
  hold.resolve();
  await s.pass(0);
  assert.equal(s.report("a")?.status, "running");
  assert.equal(s.report("a")?.warm, undefined, "the session had to wait");
  assert.ok(!s.provider.running.has("a"));
  s.supervisor.endLost(["a"]);
  s.provider.knobs.hold = Promise.reject(new Error("no luck"));
  await s.pass();
  s.take("b");
  s.provider.knobs.hold = undefined;
  await s.pass(0);
  assert.equal(s.report("b")?.status, "running");
});

Deno.test("a session waits half of its start timeout for a start that hangs, then starts a new browser; nothing remains of the other", async () => {
  await using s = await warmScene({ capacity: 1 });
  s.provider.knobs.hold = new Promise(() => {});
  await s.want(1);
  s.take("a", { start_timeout_ms: 10_000 });
  await s.pass(0);
  s.provider.knobs.hold = undefined;
  await s.pass(4_999);
  assert.equal(s.report("a")?.status, "starting");
  await s.pass(1);
  assert.equal(s.report("a")?.status, "running");
  assert.equal(s.report("a")?.warm, undefined);
  assert.deepEqual([...s.provider.running.keys()], ["a"]);
  assert.equal(s.provider.mostAtOnce(), 1, "the other browser ended before");
});

Deno.test("warm browsers make room for sessions with other properties, one for each", async () => {
  await using s = await warmScene({ capacity: 4 });
  await s.want(4);
  await s.pass();
  assert.equal(s.warm.readyCount, 4);
  s.take("a", OTHER);
  s.take("b");
  await s.pass(0);
  assert.equal(s.report("a")?.status, "running");
  assert.ok(s.report("b")?.warm);
  assert.equal(s.warm.readyCount, 2);
  assert.equal(s.provider.mostAtOnce(), 4);
  await s.pass();
  assert.equal(s.warm.readyCount, 2, "there is no room for more");
  s.supervisor.endLost(["a"]);
  await s.pass();
  assert.equal(s.warm.readyCount, 3);
});

Deno.test("starting sessions have priority over warm browsers", async () => {
  await using s = await warmScene();
  s.provider.knobs.hold = new Promise(() => {});
  s.take("a", OTHER);
  await s.want(2);
  await s.pass(10_000);
  s.provider.knobs.hold = undefined;
  assert.equal(s.warm.readyCount, 0);
  s.supervisor.endLost(["a"]);
  await s.pass();
  assert.equal(s.warm.readyCount, 2);
});

Deno.test("browsers that are too old are replaced, and the number of ready ones stays the same during it", async () => {
  await using s = await warmScene();
  await s.want(3, { max_age_ms: 600_000 });
  await s.pass();
  const first = s.running();
  assert.equal(first.length, 3);
  const hold = Promise.withResolvers<void>();
  s.provider.knobs.hold = hold.promise;
  await s.pass(600_001);
  assert.equal(s.warm.readyCount, 3);
  hold.resolve();
  await s.pass(0);
  assert.equal(s.warm.readyCount, 3);
  assert.ok(first.every((each) => !s.running().includes(each)));
});

Deno.test("browsers that are too old are replaced also if they use the whole capacity", async () => {
  await using s = await warmScene({ capacity: 2 });
  await s.want(2, { max_age_ms: 600_000 });
  const first = s.running();
  await s.pass(600_001);
  await s.pass(0);
  assert.equal(s.warm.readyCount, 2);
  assert.ok(first.every((each) => !s.running().includes(each)));
  assert.equal(s.provider.mostAtOnce(), 2);
});

Deno.test("browsers are replaced when the revision changes", async () => {
  await using s = await warmScene();
  await s.want(2);
  const first = s.running();
  await s.pass();
  await s.pass();
  assert.deepEqual(s.running(), first);
  s.provider.knobs.revision = "the next one";
  await s.pass();
  await s.pass();
  assert.equal(s.warm.readyCount, 2);
  assert.ok(first.every((each) => !s.running().includes(each)));
});

Deno.test("browsers are replaced when the pool's defaults change, and ended when min_ready becomes 0", async () => {
  await using s = await warmScene();
  await s.want(2);
  await s.want(2, OTHER);
  await s.pass(0);
  assert.deepEqual(s.running().map(({ spec }) => spec.headless), [
    false,
    false,
  ]);
  await s.want(1, OTHER);
  assert.equal(s.running().length, 1);
  await s.want(0);
  assert.equal(s.running().length, 0);
});

Deno.test("a warm browser that dies is replaced, with growing pauses if it dies repeatedly", async () => {
  await using s = await warmScene();
  await s.want(1);
  let starts = 0;
  for (let seconds = 0; seconds < 600; seconds += 2) {
    s.running().at(0)?.die("exit code 139");
    await s.pass(2_000);
    starts += s.running().length;
  }
  assert.ok(starts > 8 && starts < 30, `${starts} starts in 10 minutes`);
  await s.pass();
  assert.equal(s.warm.readyCount, 1);
});

Deno.test("a worker that accepts no sessions, or ends, keeps no warm browser, not even a starting one", async () => {
  await using s = await warmScene();
  await s.want(2);
  s.provider.knobs.hold = new Promise(() => {});
  await s.want(3);
  s.knobs.isOpen = false;
  await s.pass(0);
  assert.equal(s.running().length, 0);
  s.knobs.isOpen = true;
  await s.pass();
  await s.warm[Symbol.asyncDispose]();
  s.provider.knobs.hold = undefined;
  await s.pass();
  assert.equal(s.running().length, 0);
});

Deno.test("a browser whose hand-over cannot be saved is not handed over", async () => {
  await using s = await warmScene();
  await s.want(1);
  const [kept] = s.running();
  s.knobs.saveError = "the disk is full";
  s.take("a");
  await s.pass(0);
  assert.equal((await kept?.exited)?.reason, "stopped");
  assert.ok(s.provider.running.has("a"));
  assert.equal(s.report("a")?.status, "running");
  assert.equal(s.report("a")?.warm, undefined);
});

/** Moves of the random test: events that may happen to a worker. */
const MOVES: Readonly<
  Record<string, (s: WarmScene, n: number) => Promise<void> | void>
> = {
  want: (s, n) => s.want(n % 6),
  wantOther: (s, n) => s.want(n % 6, OTHER),
  claim: (s, n) => claim(s, n, {}),
  claimOther: (s, n) => claim(s, n, OTHER),
  end: (s, n) => {
    const ids = [...s.supervisor.heldIds];
    s.supervisor.endLost(ids.slice(n % (ids.length + 1), undefined));
  },
  die: (s, n) => s.running().at(n % 4)?.die("exit code 139"),
  pass: (s) => s.pass(),
  moment: (s) => s.pass(300),
  close: (s) => void (s.knobs.isOpen = !s.knobs.isOpen),
  holdStarts: ({ provider: { knobs } }) => {
    knobs.hold = knobs.hold ? undefined : new Promise(() => {});
  },
  holdStops: (s) => holdStops(s),
  renew: (s, n) => void (s.provider.knobs.revision = String(n)),
};

let sessions = 0;
let releaseStops: (() => void) | undefined;

/** Delays the end of browsers until the next call. */
function holdStops({ provider: { knobs } }: WarmScene): void {
  const release = releaseStops;
  const held = Promise.withResolvers<void>();
  releaseStops = release ? undefined : held.resolve;
  knobs.stopHold = release ? undefined : held.promise;
  release?.();
}

function claim(s: WarmScene, n: number, fields: { headless?: boolean }): void {
  for (let count = n % 4; count >= 0 && s.supervisor.room > 0; count--) {
    s.take(`session-${sessions++}`, fields);
  }
}

Deno.test("in any order of events, sessions and warm browsers never exceed the capacity, and no browser serves two sessions", async () => {
  const move = fc.tuple(fc.constantFrom(...Object.keys(MOVES)), fc.nat(20));
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(move, { minLength: 5, maxLength: 40 }),
      async (capacity, moves) => {
        const s = await warmScene({ capacity });
        const sessionOf = new Map<string, string>();
        for (const [name, n] of moves) {
          await MOVES[name]?.(s, n);
          for (const id of s.supervisor.heldIds) {
            const { endpoint } = s.report(id) ?? {};
            if (endpoint === undefined) continue;
            assert.equal(sessionOf.get(endpoint) ?? id, id);
            sessionOf.set(endpoint, id);
          }
        }
        if (releaseStops) holdStops(s);
        await s.pass();
        assert.ok(s.provider.mostAtOnce() <= capacity);
        await s[Symbol.asyncDispose]();
        assert.deepEqual(s.running(), []);
        // Those that have ended since the last hand-over are not removed yet.
        assert.ok(Object.keys(s.saved()).length <= capacity);
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("a warm browser that hangs is killed and replaced", async () => {
  await using s = await warmScene();
  await s.want(1);
  const [kept] = s.running();
  s.provider.knobs.probe = () => new Promise(() => {});
  for (let seconds = 0; seconds < 60; seconds += 5) await s.pass(5_000);
  assert.notEqual(s.running()[0], kept);
  s.provider.knobs.probe = undefined;
  await s.pass();
  assert.equal(s.warm.readyCount, 1);
  assert.equal(s.provider.graces[0], 0);
});
