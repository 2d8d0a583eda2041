import assert from "node:assert/strict";
import fc from "fast-check";
import { fingerprintBody } from "../../../src/apps/sessions/idempotency.ts";
import { SecretCipher } from "../../../src/db/secrets.ts";
import { type Answer, createApiClient } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";

const HOUR = 3_600_000;
const KEYS = ["a", "b"];

/** Actions in any order: bursts of requests, each to one of two servers. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("ask" as const),
      burst: fc.array(
        fc.record({
          key: fc.constantFrom(...KEYS),
          priority: fc.constantFrom(1, 2),
          replica: fc.nat(1),
        }),
        { minLength: 1, maxLength: 6 },
      ),
    }),
  },
  fc.record({
    do: fc.constant("pass" as const),
    hours: fc.constantFrom(1, 11, 13, 24),
  }),
  fc.record({ do: fc.constant("prune" as const) }),
  fc.record({ do: fc.constant("close" as const), isClosed: fc.boolean() }),
  fc.record({ do: fc.constant("end" as const), key: fc.constantFrom(...KEYS) }),
);

/** The model's record of a key. */
interface Known {
  readonly id: string;
  readonly priority: number;
  readonly until: number;
}

Deno.test("concurrent and repeated requests with few keys create one session a day for each key and body", async () => {
  const clock = createFakeClock();
  const settings = { retention_hours: 1 };
  await using one = await testGrid({ clock, settings });
  await using two = await testGrid({
    clock,
    settings: {
      ...settings,
      database_url: `file:${one.dataDir}/browsergrid.db`,
    },
  });
  const api = createApiClient(one);
  await api.pool();
  const replicas = [one, two];
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      run++;
      await api.call("POST", "/workerpool/pools/pool/resume");
      const model = new Map<string, Known>();
      let isClosed = false;
      for (const each of steps) {
        switch (each.do) {
          case "ask": {
            const answers = await Promise.all(
              each.burst.map(async (request) => ({
                ...request,
                answer: await post(replicas[request.replica] ?? one, {
                  key: `${run}-${request.key}`,
                  priority: request.priority,
                }),
              })),
            );
            for (const key of KEYS) {
              const mine = answers.filter((answer) => answer.key === key);
              check(model, key, mine, { now: clock.now(), isClosed });
            }
            break;
          }
          case "pass":
            clock.advance(each.hours * HOUR);
            break;
          case "prune":
            await two.sessions.deadlines.prune();
            break;
          case "close":
            ({ isClosed } = each);
            await api.call(
              "POST",
              `/workerpool/pools/pool/${isClosed ? "pause" : "resume"}`,
            );
            break;
          case "end": {
            const known = model.get(each.key);
            if (known) await api.call("DELETE", `/sessions/${known.id}`);
          }
        }
      }
    }),
    { numRuns: 60 },
  );
});

interface Answered {
  readonly priority: number;
  readonly answer: Answer;
}

/** Compares the responses to concurrent requests with one key with the model, and adds new sessions to it. */
function check(
  model: Map<string, Known>,
  key: string,
  answered: readonly Answered[],
  { now, isClosed }: { readonly now: number; readonly isClosed: boolean },
): void {
  const before = model.get(key);
  const isKnown = before !== undefined && now < before.until;
  if (!isKnown && isClosed) {
    for (const { answer } of answered) {
      assert.equal(answer.body.code, "pool_paused");
    }
    return;
  }
  const accepted = answered.filter(({ answer }) => answer.status === 201);
  const firsts = accepted.filter(({ answer }) =>
    !answer.headers.has("idempotency-replayed")
  );
  const [first] = firsts;
  assert.equal(firsts.length, isKnown || answered.length === 0 ? 0 : 1);
  if (first) {
    const { answer: { body: { id } }, priority } = first;
    assert.notEqual(id, before?.id);
    model.set(key, { id, priority, until: now + 24 * HOUR });
  }
  const known = model.get(key);
  for (const { priority, answer } of answered) {
    if (priority === known?.priority) assert.equal(answer.body.id, known.id);
    else assert.equal(answer.body.code, "idempotency_key_reused");
  }
}

function post(
  grid: TestGrid,
  { key, priority }: { readonly key: string; readonly priority: number },
): Promise<Answer> {
  return createApiClient(grid, { "idempotency-key": key }).call(
    "POST",
    "/sessions",
    {
      priority,
    },
  );
}

const secrets = new SecretCipher(new Uint8Array(32));

Deno.test("fingerprintBody() is equal for every order of members, and different for every other body", async () => {
  const body = fc.dictionary(
    fc.string({ maxLength: 3 }),
    fc.oneof(
      fc.integer({ min: 0, max: 2 }),
      fc.boolean(),
      fc.constantFrom("0", "true", ""),
      fc.array(fc.nat(2), { maxLength: 2 }),
      fc.dictionary(fc.constantFrom("x", "y", "10", "9"), fc.nat(2)),
    ),
    { maxKeys: 4 },
  );
  await fc.assert(
    fc.asyncProperty(body, body, async (a, b) => {
      const reversed = Object.fromEntries(Object.entries(a).reverse());
      assert.equal(
        await fingerprintBody(reversed, secrets),
        await fingerprintBody(a, secrets),
      );
      const isSame =
        await fingerprintBody(a, secrets) === await fingerprintBody(b, secrets);
      assert.equal(isSame, isEqual(a, b));
    }),
    { numRuns: 300 },
  );
});

function isEqual(a: unknown, b: unknown): boolean {
  try {
    // Undefined members and prototypes do not count: JSON contains neither.
    assert.deepEqual(
      JSON.parse(JSON.stringify(a)),
      JSON.parse(
        JSON.stringify(b),
      ),
    );
    return true;
  } catch {
    return false;
  }
}
