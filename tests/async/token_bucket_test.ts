import assert from "node:assert/strict";
import { TokenBucket } from "../../src/async/token_bucket.ts";

Deno.test("reading the tokens of a later time changes nothing", () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 2 });
  assert.ok(bucket.take(0));
  assert.ok(bucket.take(0));
  assert.equal(bucket.count(60_000), 2);
  assert.ok(bucket.has(60_000));
  assert.equal(bucket.count(500), 0.5);
  assert.ok(!bucket.take(500));
});

Deno.test("an earlier time adds no tokens, and none twice", () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 1 });
  assert.ok(bucket.take(2_000));
  assert.ok(!bucket.take(0));
  assert.ok(!bucket.take(2_999));
  assert.ok(bucket.take(3_000));
});
