import assert from "node:assert/strict";
import { findScalablePools } from "../../../src/apps/scaling/store/pools.ts";
import { assertBounded } from "../../support/bounded_plans.ts";
import { type Recorded, recordStatements } from "../../support/query_plans.ts";
import { setScene } from "./scene.ts";

Deno.test("no pass over pools scans or sorts a table that grows, and a pass that changes nothing is one round trip for each pool", async () => {
  await using scene = await setScene({ pool: { min_workers: 1 } });
  const { api, fake, grid, scaler } = scene;
  const { db } = grid.core;
  const statements = new Map<string, readonly Recorded[]>();
  const record = async (name: string, act: () => Promise<unknown>) => {
    statements.set(name, await recordStatements(db, act));
  };
  await record("start", scene.pass);
  await record("register", scene.registerAll);
  await api.pool({ name: "local", provider_type: "local" });
  await api.pool({
    name: "sessions",
    provider_type: "machines",
    provider_config: { unit: "session" },
  });
  await scene.pass();
  const before = db.trips();
  await scaler.runOnce();
  assert.equal(db.trips() - before, 2);
  await api.call("PATCH", "/workerpool/pools/pool", { min_workers: 0 });
  await scene.pass();
  scene.clock.advance(300_000);
  await record("drain", scene.pass);
  for (const id of fake.machines.keys()) await scene.leave(id);
  await record("remove", () => scene.advance(10_000));
  await record("pressure", scene.pressure);
  await record("check", () => findScalablePools(db, ["machines"]));
  await assertBounded(grid, statements);
});
