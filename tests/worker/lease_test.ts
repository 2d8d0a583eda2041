import assert from "node:assert/strict";
import fc from "fast-check";
import { calculateTrustedUntil, Lease } from "../../src/worker/lease.ts";

Deno.test("calculateTrustedUntil() ends before the server's lease, whenever the request arrived", () => {
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

Deno.test("Lease.isLost() is false until the lease is no longer trusted and the grace of a running session is over", () => {
  fc.assert(fc.property(
    fc.nat(1_000_000),
    fc.nat(200_000),
    fc.nat(2_000_000),
    (trustedUntil, graceMs, now) => {
      const running = new Lease({ trustedUntil, isRunning: true });
      assert.equal(running.isLost(now, graceMs), now > trustedUntil + graceMs);
      const starting = new Lease({ trustedUntil, isRunning: false });
      assert.equal(starting.isLost(now, graceMs), now > trustedUntil);
    },
  ));
});

Deno.test("Lease.isPastLifetime() waits for the server's command first, and is false without a known lifetime", () => {
  const lease = new Lease({ trustedUntil: Infinity, isRunning: true });
  assert.ok(!lease.isPastLifetime(1e12));
  const renewal = { trustedUntil: Infinity, isRunning: true };
  lease.renew({ ...renewal, expiresAt: 60_000 });
  assert.ok(!lease.isPastLifetime(60_001));
  assert.ok(lease.isPastLifetime(90_000));
  lease.renew({ ...renewal, expiresAt: Infinity });
  assert.ok(!lease.isPastLifetime(1e12));
});

Deno.test("Lease.renew() keeps what a response omits: the lifetime, and that the session is running", () => {
  const lease = new Lease({ trustedUntil: 10, isRunning: false });
  lease.renew({ trustedUntil: 20, isRunning: true, expiresAt: 1_000 });
  assert.ok(!lease.isLost(20, 0) && lease.isRunning);
  lease.renew({ trustedUntil: 30, isRunning: false });
  assert.ok(lease.isLost(31, 0) && !lease.isLost(31, 1), "the grace applies");
  assert.ok(lease.isPastLifetime(16_001));
});
