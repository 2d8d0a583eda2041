import assert from "node:assert/strict";
import fc from "fast-check";
import type { KeyRow } from "../../../src/apps/keys/key.ts";
import { KeyCache } from "../../../src/apps/keys/key_cache.ts";
import type { KeyStore } from "../../../src/apps/keys/store/keys.ts";
import { hashText, newKey, parseKeyPrefix } from "../../../src/core/redact.ts";
import { createFakeClock } from "../../support/clock.ts";

async function createRow(key: string, fields: Partial<KeyRow> = {}) {
  return {
    id: `id of ${parseKeyPrefix(key)}`,
    name: "test",
    prefix: parseKeyPrefix(key) ?? "",
    hash: await hashText(key),
    role: "client",
    workPoolId: null,
    maxSessions: null,
    maxQueue: null,
    maxPriority: null,
    createdAt: 0,
    expiresAt: null,
    lastUsedAt: null,
    revokedAt: null,
    signedInFor: null,
    signedInProof: null,
    ...fields,
  } as const;
}

/** Creates a cache over rows that another server may change, and records its reads. */
function createScene(rows: KeyRow[] = []) {
  const clock = createFakeClock();
  const reads: { prefixes: readonly string[]; used: unknown }[] = [];
  let gate: Promise<void> = Promise.resolve();
  const store: Pick<KeyStore, "readKeys"> = {
    async readKeys(prefixes, used) {
      reads.push({ prefixes, used });
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
    reads,
    rows,
    cache: new KeyCache(store, clock),
    /** Delays reads until the returned function is called. */
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

Deno.test("a wrong key never authenticates a caller, not even with the prefix of a valid key", async () => {
  const right = newKey();
  const { cache } = createScene([await createRow(right)]);
  const letters = fc.string({
    unit: fc.constantFrom(..."0123456789abcXYZ"),
    minLength: 43,
    maxLength: 43,
  });
  const wrong = fc.oneof(
    letters.map((rest) => `${parseKeyPrefix(right)}_${rest}`),
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
      assert.equal(await cache.find(key), "wrong");
      assert.ok(isCaller(await cache.find(right)));
    }),
    { numRuns: 300 },
  );
});

Deno.test("a key is read once in 10 s, and so is an unknown key", async () => {
  const key = newKey();
  const { cache, reads, clock } = createScene([await createRow(key)]);
  const none = newKey();
  for (let second = 0; second < 10; second++) {
    assert.ok(isCaller(await cache.find(key)));
    assert.equal(await cache.find(none), "wrong");
    clock.advance(999);
  }
  assert.equal(reads.length, 2);
  clock.advance(11);
  await cache.find(key);
  assert.equal(reads.length, 3);
});

Deno.test("a key that another server revokes is rejected within 10 s, with or without refreshes", async () => {
  for (const isTended of [false, true]) {
    const key = newKey();
    const { cache, rows, clock } = createScene([await createRow(key)]);
    await cache.find(key);
    rows[0] = await createRow(key, { revokedAt: 1 });
    for (let second = 0; second < 10; second++) {
      clock.advance(1_000);
      if (isTended) await cache.refresh();
    }
    assert.equal(await cache.find(key), "revoked");
  }
});

Deno.test("refresh() reads all keys in use with one read, and requests read none", async () => {
  const keys = Array.from({ length: 20 }, newKey);
  const { cache, reads, clock } = createScene(
    await Promise.all(keys.map((key) => createRow(key))),
  );
  for (const key of keys) await cache.find(key);
  reads.length = 0;
  for (let round = 1; round <= 10; round++) {
    clock.advance(4_000);
    await cache.refresh();
    for (const key of keys) assert.ok(isCaller(await cache.find(key)));
    assert.equal(reads.length, round);
  }
  // Keys that are no longer presented are evicted.
  for (let round = 0; round < 40; round++) {
    clock.advance(4_000);
    await cache.refresh();
  }
  reads.length = 0;
  await cache.refresh();
  assert.deepEqual(reads, []);
});

Deno.test("a use is written at most once a minute, and the last one is written", async () => {
  const key = newKey();
  const row = await createRow(key);
  const { cache, reads, clock } = createScene([row]);
  const written: number[] = [];
  let lastUse = 0;
  for (let at = 0; at < 60; at++) {
    if (at < 40) {
      await cache.find(key);
      lastUse = clock.now();
    }
    reads.length = 0;
    await cache.refresh();
    if (reads[0]?.used !== undefined) {
      assert.deepEqual(Object.keys(reads[0].used ?? {}), [row.id]);
      written.push(Object.values(reads[0].used ?? {})[0]);
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

Deno.test("concurrent requests with the same new key read it once", async () => {
  const key = newKey();
  const { cache, reads } = createScene([await createRow(key)]);
  const found = await Promise.all(
    Array.from({ length: 50 }, () => cache.find(key)),
  );
  assert.ok(found.every(isCaller));
  assert.equal(reads.length, 1);
});

Deno.test("a key that is revoked here during a read is not accepted afterwards", async () => {
  const key = newKey();
  const { cache, rows, hold } = createScene([await createRow(key)]);
  const release = hold();
  const looking = cache.find(key);
  rows[0] = await createRow(key, { revokedAt: 1 });
  cache.invalidate(parseKeyPrefix(key) ?? "");
  release();
  await looking;
  assert.equal(await cache.find(key), "revoked");
});

Deno.test("unknown keys neither evict keys in use nor fill the memory", async () => {
  const key = newKey();
  const { cache, reads } = createScene([await createRow(key)]);
  await cache.find(key);
  for (let count = 0; count < 12_000; count++) {
    await cache.find(newKey());
    if (count % 1_000 === 0) await cache.find(key);
  }
  const own = reads.filter(({ prefixes }) =>
    prefixes.includes(key.slice(0, 11))
  );
  assert.equal(own.length, 1);
});

Deno.test("hasAdmin() reads at most once in 10 s, and at once after a change here", async () => {
  const key = newKey();
  const { cache, rows, reads, clock } = createScene();
  for (let second = 0; second < 10; second++) {
    assert.ok(!await cache.hasAdmin());
    clock.advance(999);
  }
  assert.equal(reads.length, 1);
  rows.push(await createRow(key, { role: "admin" }));
  cache.invalidate(parseKeyPrefix(key) ?? "");
  assert.ok(await cache.hasAdmin());
  rows.pop();
  assert.ok(await cache.hasAdmin());
  clock.advance(10_001);
  assert.ok(!await cache.hasAdmin());
});
