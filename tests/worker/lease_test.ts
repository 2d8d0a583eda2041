import assert from "node:assert/strict";
import fc from "fast-check";
import {
  calculateTrustedUntil,
  isLost,
  isPastLifetime,
} from "../../src/worker/lease.ts";

Deno.test("trustedUntil() ends before the server's lease, whenever the request arrived", () => {
  fc.assert(fc.property(
    fc.nat(1_000_000),
    fc.integer({ min: 1, max: 600_000 }),
    fc.nat(60_000),
    (sentAt, ttlMs, delay) => {
      const serverEnd = sentAt + delay + ttlMs;
      assert.ok(calculateTrustedUntil(sentAt, ttlMs) < serverEnd);
      assert.ok(calculateTrustedUntil(sentAt, ttlMs) > sentAt);
    },
  ));
});

Deno.test("isLost() is false to the end of what is trusted and of the grace, and true after", () => {
  fc.assert(fc.property(
    fc.nat(1_000_000),
    fc.nat(200_000),
    fc.nat(2_000_000),
    (until, graceMs, now) => {
      const lease = {
        trustedUntil: until,
        expiresAt: Infinity,
        isRunning: true,
      };
      assert.equal(isLost(lease, now, graceMs), now > until + graceMs);
      const starting = { ...lease, isRunning: false };
      assert.equal(isLost(starting, now, graceMs), now > until);
    },
  ));
});

Deno.test("isOverLife() leaves a session to the server's order first, and ends what knows no end never", () => {
  const lease = { trustedUntil: Infinity, expiresAt: 60_000, isRunning: true };
  assert.ok(!isPastLifetime(lease, 60_001));
  assert.ok(isPastLifetime(lease, 90_000));
  assert.ok(!isPastLifetime({ ...lease, expiresAt: Infinity }, 1e12));
});
