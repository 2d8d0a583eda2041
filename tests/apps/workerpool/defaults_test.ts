import assert from "node:assert/strict";
import fc from "fast-check";
import { applyPoolDefaults } from "../../../src/apps/workerpool/defaults.ts";
import { GridError } from "../../../src/core/errors.ts";
import { poolArbitrary, requestArbitrary } from "./arbitraries.ts";

const GRID = {
  browser: "chrome",
  operatingSystem: "linux",
  timeoutMinutes: 60,
} as const;

Deno.test("applyPoolDefaults() uses the value of the session, else of the pool, else of the grid", () => {
  fc.assert(fc.property(requestArbitrary, poolArbitrary, (want, pool) => {
    fc.pre(pool.maxTimeoutMinutes === null);
    const session = applyPoolDefaults(want, pool, GRID);
    assert.equal(
      session.browser,
      want.browser ?? pool.defaultBrowser ?? "chrome",
    );
    assert.equal(
      session.headless,
      want.headless ?? pool.defaultHeadless ?? [true][0],
    );
    assert.equal(
      session.resourceLimits.timeout_minutes,
      want.resource_limits?.timeout_minutes ??
        pool.defaultResourceLimits?.timeout_minutes ?? 60,
    );
  }));
});

Deno.test("applyPoolDefaults() merges the environment by name, with values of the session over those of the pool", () => {
  fc.assert(fc.property(requestArbitrary, poolArbitrary, (want, pool) => {
    fc.pre(pool.maxTimeoutMinutes === null);
    const { environment } = applyPoolDefaults(want, pool, GRID);
    for (const name of ["A", "B", "C"]) {
      const own = want.environment ?? {};
      const inherited = pool.defaultEnvironment ?? {};
      assert.equal(
        environment[name],
        Object.hasOwn(own, name) ? own[name] : inherited[name],
      );
    }
  }));
});

Deno.test("applyPoolDefaults() limits the lifetime to the maximum of the pool, and rejects a longer request", () => {
  fc.assert(fc.property(requestArbitrary, poolArbitrary, (want, pool) => {
    const most = pool.maxTimeoutMinutes ?? Infinity;
    const asked = want.resource_limits?.timeout_minutes;
    try {
      const session = applyPoolDefaults(want, pool, GRID);
      assert.ok(session.resourceLimits.timeout_minutes <= most);
      assert.ok(asked === undefined || asked <= most);
    } catch (error) {
      assert.ok(error instanceof GridError && error.code === "invalid_request");
      assert.ok(asked !== undefined && asked > most);
    }
  }));
});
