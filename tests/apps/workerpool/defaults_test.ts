import assert from "node:assert/strict";
import fc from "fast-check";
import { applyPoolDefaults } from "../../../src/apps/workerpool/defaults.ts";
import { GridError } from "../../../src/core/errors.ts";
import { poolArbitrary, wantArbitrary } from "./arbitraries.ts";

const GRID = {
  browser: "chrome",
  operatingSystem: "linux",
  timeoutMinutes: 60,
} as const;

Deno.test("inherit() takes the session's own value, else the pool's, else the grid's", () => {
  fc.assert(fc.property(wantArbitrary, poolArbitrary, (want, pool) => {
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

Deno.test("inherit() merges the environment name by name, the session's values over the pool's", () => {
  fc.assert(fc.property(wantArbitrary, poolArbitrary, (want, pool) => {
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

Deno.test("inherit() never gives more minutes than the pool allows, and refuses who asks for more", () => {
  fc.assert(fc.property(wantArbitrary, poolArbitrary, (want, pool) => {
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
