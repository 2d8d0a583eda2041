import assert from "node:assert/strict";
import fc from "fast-check";
import type { KeyRow } from "../../../src/apps/keys/key.ts";
import { KeyCache } from "../../../src/apps/keys/key_cache.ts";
import type { KeyStore } from "../../../src/apps/keys/store/keys.ts";
import { hashOf, newKey, prefixOf } from "../../../src/core/redact.ts";
import { createFakeClock } from "../../support/clock.ts";

async function rowOf(key: string, fields: Partial<KeyRow> = {}) {
  return {
    id: `id of ${prefixOf(key)}`,
    name: "test",
    prefix: prefixOf(key) ?? "",
    hash: await hashOf(key),
    role: "client",
    workPoolId: null,
    maxSessions: null,
    maxQueue: null,
    maxPriority: null,
    createdAt: 0,
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
    ...fields,
  } as const;
}

/** A ring over rows that another server may change, and what it has asked. */
function scene(rows: KeyRow[] = []) {
  const clock = createFakeClock();
  const looks: { prefixes: readonly string[]; used: unknown }[] = [];
  let gate: Promise<void> = Promise.resolve();
  const store: Pick<KeyStore, "readKeys"> = {
    async readKeys(prefixes, used) {
      looks.push({ prefixes, used });
      const found = rows.filter(({ prefix }) => prefixes.includes(prefix));
      const hasAdmin = rows.some(({ role, revokedAt }) =>
        role === "admin" && revokedAt === null
      );
      await gate;
      return { rows: found, hasAdmin };
    },
  };
  return {
    clock,
    looks,
    rows,
    ring: new KeyCache(store, clock),
    /** Answers wait from now on until the returned function is called. */
    hold() {
      const held = Promise.withResolvers<void>();
      gate = held.promise;
      return held.resolve;
    },
  };
}

function isCaller(found: unknown): boolean {
  return typeof found === "object";
}

Deno.test("a wrong key never proves anybody, also one that begins like a right one", async () => {
  const right = newKey();
  const { ring } = scene([await rowOf(right)]);
  const letters = fc.string({
    unit: fc.constantFrom(..."0123456789abcXYZ"),
    minLength: 43,
    maxLength: 43,
  });
  const wrong = fc.oneof(
    letters.map((rest) => `${prefixOf(right)}_${rest}`),
    fc.nat(42).map((at) => {
      const place = right.length - 1 - at;
      const other = right[place] === "x" ? "y" : "x";
      return right.slice(0, place) + other + right.slice(place + 1);
    }),
    fc.constant("").map(newKey),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(wrong, async (key) => {
      assert.equal(await ring.find(key), "wrong");
      assert.ok(isCaller(await ring.find(right)));
    }),
    { numRuns: 300 },
  );
});

Deno.test("what is known of a key costs no look for 10 s, nor does a key that is none", async () => {
  const key = newKey();
  const { ring, looks, clock } = scene([await rowOf(key)]);
  const none = newKey();
  for (let second = 0; second < 10; second++) {
    assert.ok(isCaller(await ring.find(key)));
    assert.equal(await ring.find(none), "wrong");
    clock.advance(999);
  }
  assert.equal(looks.length, 2);
  clock.advance(11);
  await ring.find(key);
  assert.equal(looks.length, 3);
});

Deno.test("a key that another server revokes is refused within 10 s, whether or not anybody tends the ring", async () => {
  for (const isTended of [false, true]) {
    const key = newKey();
    const { ring, rows, clock } = scene([await rowOf(key)]);
    await ring.find(key);
    rows[0] = await rowOf(key, { revokedAt: 1 });
    for (let second = 0; second < 10; second++) {
      clock.advance(1_000);
      if (isTended) await ring.refresh();
    }
    assert.equal(await ring.find(key), "revoked");
  }
});

Deno.test("a ring that is tended looks for keys in use by itself, all at once; requests never do", async () => {
  const keys = Array.from({ length: 20 }, newKey);
  const { ring, looks, clock } = scene(
    await Promise.all(keys.map((key) => rowOf(key))),
  );
  for (const key of keys) await ring.find(key);
  looks.length = 0;
  for (let round = 1; round <= 10; round++) {
    clock.advance(4_000);
    await ring.refresh();
    for (const key of keys) assert.ok(isCaller(await ring.find(key)));
    assert.equal(looks.length, round);
  }
  // What nobody shows any more is let go.
  for (let round = 0; round < 40; round++) {
    clock.advance(4_000);
    await ring.refresh();
  }
  looks.length = 0;
  await ring.refresh();
  assert.deepEqual(looks, []);
});

Deno.test("a use is written at most once a minute, and the last one is written", async () => {
  const key = newKey();
  const row = await rowOf(key);
  const { ring, looks, clock } = scene([row]);
  const written: number[] = [];
  let lastUse = 0;
  for (let at = 0; at < 60; at++) {
    if (at < 40) {
      await ring.find(key);
      lastUse = clock.now();
    }
    looks.length = 0;
    await ring.refresh();
    if (looks[0]?.used !== undefined) {
      assert.deepEqual(Object.keys(looks[0].used ?? {}), [row.id]);
      written.push(Object.values(looks[0].used ?? {})[0]);
    }
    clock.advance(4_000);
  }
  assert.equal(written.at(-1), lastUse);
  assert.ok(written.length >= 3 && written.length <= 5, `${written.length}`);
  for (const [at, time] of written.entries()) {
    const before = written[at - 1];
    if (before !== undefined) assert.ok(time - before > 0);
  }
});

Deno.test("requests that show the same new key at once look for it once", async () => {
  const key = newKey();
  const { ring, looks } = scene([await rowOf(key)]);
  const found = await Promise.all(
    Array.from({ length: 50 }, () => ring.find(key)),
  );
  assert.ok(found.every(isCaller));
  assert.equal(looks.length, 1);
});

Deno.test("a key that is revoked here while it is looked for is not taken for good afterwards", async () => {
  const key = newKey();
  const { ring, rows, hold } = scene([await rowOf(key)]);
  const release = hold();
  const looking = ring.find(key);
  rows[0] = await rowOf(key, { revokedAt: 1 });
  ring.invalidate(prefixOf(key) ?? "");
  release();
  await looking;
  assert.equal(await ring.find(key), "revoked");
});

Deno.test("keys that are none do not push out those that are used, nor fill the memory", async () => {
  const key = newKey();
  const { ring, looks } = scene([await rowOf(key)]);
  await ring.find(key);
  for (let count = 0; count < 12_000; count++) {
    await ring.find(newKey());
    if (count % 1_000 === 0) await ring.find(key);
  }
  const own = looks.filter(({ prefixes }) =>
    prefixes.includes(key.slice(0, 11))
  );
  assert.equal(own.length, 1);
});

Deno.test("whether an admin has a key is looked for at most every 10 s, and at once after a change here", async () => {
  const key = newKey();
  const { ring, rows, looks, clock } = scene();
  for (let second = 0; second < 10; second++) {
    assert.ok(!await ring.hasAdmin());
    clock.advance(999);
  }
  assert.equal(looks.length, 1);
  rows.push(await rowOf(key, { role: "admin" }));
  ring.invalidate(prefixOf(key) ?? "");
  assert.ok(await ring.hasAdmin());
  rows.pop();
  assert.ok(await ring.hasAdmin());
  clock.advance(10_001);
  assert.ok(!await ring.hasAdmin());
});
