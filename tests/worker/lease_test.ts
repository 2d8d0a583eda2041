import assert from "node:assert/strict";
import fc from "fast-check";
import { trustedUntil } from "../../src/worker/lease.ts";

Deno.test("trustedUntil() ends before the server's lease, whenever the request arrived", () => {
  fc.assert(fc.property(
    fc.nat(1_000_000),
    fc.integer({ min: 1, max: 600_000 }),
    fc.nat(60_000),
    (sentAt, ttlMs, delay) => {
      const serverEnd = sentAt + delay + ttlMs;
      assert.ok(trustedUntil(sentAt, ttlMs) < serverEnd);
      assert.ok(trustedUntil(sentAt, ttlMs) > sentAt);
    },
  ));
});
