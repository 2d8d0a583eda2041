import assert from "node:assert/strict";
import {
  assessMachine,
  isStuck,
  type KnownMachine,
} from "../../../src/apps/scaling/assess_machine.ts";
import type { Machine } from "../../../src/core/provider/machines.ts";

const NOW = 10_000_000;
const ID = "worker-1";

const ROW: KnownMachine["row"] = {
  workerId: ID,
  poolId: "pool-1",
  status: "running",
  attempts: 0,
  keyId: null,
  key: null,
  requestedAt: NOW - 900_000,
  acceptedAt: NOW - 900_000,
  drainedAt: null,
  removedAt: null,
  statusAt: NOW - 900_000,
};

const WORKER: NonNullable<KnownMachine["worker"]> = {
  id: ID,
  status: "online",
  capacity: 4,
  held: 0,
  drainRequestedAt: null,
  createdAt: NOW - 800_000,
  updatedAt: NOW,
};

function assess(
  row: Partial<typeof ROW>,
  worker: Partial<typeof WORKER> | undefined,
  others: Partial<KnownMachine> = {},
) {
  return assessMachine({
    row: { ...ROW, ...row },
    worker: worker && { ...WORKER, ...worker },
    list: undefined,
    stuckSince: undefined,
    startTimeoutSeconds: 120,
    now: NOW,
    observedSince: 0,
    ...others,
  });
}

function listed(
  at: number,
  ...machines: readonly Machine[]
): Pick<KnownMachine, "list"> {
  return {
    list: { at, byId: new Map(machines.map((each) => [each.workerId, each])) },
  };
}

Deno.test("assessMachine() keeps a machine whose worker serves, whatever the list lacks", () => {
  assert.equal(assess({}, {}).type, "kept");
  assert.equal(assess({}, {}, listed(NOW)).type, "kept");
});

Deno.test("assessMachine() removes no machine whose worker holds sessions, unless the machine has ended", () => {
  const held = { held: 1, updatedAt: NOW - 500_000 };
  assert.equal(assess({}, { ...held, status: "offline" }).type, "kept");
  const draining = { status: "draining" as const };
  const late = { stuckSince: NOW - 500_000 };
  assert.equal(assess(draining, { ...held, ...draining }, late).type, "kept");
  assert.equal(assess({}, { ...held, status: "failed" }, late).type, "kept");
  const ended = listed(NOW, { workerId: ID, status: "ended", detail: "OOM" });
  assert.deepEqual(assess({}, held, ended), {
    type: "useless",
    reason: "it ended: OOM",
    isOver: true,
  });
});

Deno.test("assessMachine() waits a minute for a lost worker, and for a drained one to leave", () => {
  const lost = (ms: number) =>
    assess({}, { status: "offline", updatedAt: NOW - ms }).type;
  assert.deepEqual([lost(60_000), lost(60_001)], ["kept", "useless"]);
  const left = assess({ status: "draining" }, { status: "offline" });
  assert.deepEqual(left, { type: "useless", reason: "its worker left" });
  const drained = { status: "draining" as const };
  const stuck = (ms: number) =>
    assess(drained, drained, { stuckSince: NOW - ms }).type;
  assert.deepEqual([stuck(60_000), stuck(60_001)], ["kept", "useless"]);
  const deleted = (ms: number) =>
    assess({ statusAt: NOW - ms }, undefined).type;
  assert.deepEqual([deleted(60_000), deleted(60_001)], ["kept", "useless"]);
});

Deno.test("assessMachine() calls a worker that cannot use its provider for two minutes a failure", () => {
  const failed = (ms: number) =>
    assess({}, { status: "failed" }, { stuckSince: NOW - ms }).type;
  assert.deepEqual([failed(120_000), failed(120_001)], ["kept", "failed"]);
  assert.ok(isStuck({ status: "failed", held: 3 }));
  assert.ok(!isStuck({ status: "draining", held: 3 }));
});

Deno.test("assessMachine() follows drains of workers and of people, and repeats its own", () => {
  const drains = { drainRequestedAt: NOW };
  assert.deepEqual(assess({}, drains), { type: "drains", status: "draining" });
  const draining = { status: "draining" as const };
  assert.deepEqual(assess(draining, {}), { type: "drains", status: "running" });
  const own = assess({ ...draining, drainedAt: NOW }, {});
  assert.deepEqual(own, { type: "undrained" });
});

Deno.test("assessMachine() gives a new machine the time of its provider, and a minute to be listed", () => {
  const starting = (ms: number, others: Partial<KnownMachine> = {}) =>
    assess({ status: "starting", acceptedAt: NOW - ms }, undefined, others);
  assert.equal(starting(120_000).type, "kept");
  assert.equal(starting(120_001).type, "failed");
  assert.equal(starting(60_000, listed(NOW)).type, "kept");
  assert.equal(starting(60_001, listed(NOW)).type, "failed");
  assert.equal(starting(90_000, listed(NOW - 31_000)).type, "kept");
  const requested = { status: "requested" as const, acceptedAt: null };
  assert.equal(assess(requested, undefined).type, "kept");
  assert.equal(assess(requested, {}).type, "registered");
  assert.equal(
    assess({ ...requested, attempts: 5 }, undefined).type,
    "useless",
  );
});

Deno.test("assessMachine() waits a minute for a worker that was lost before a pass saw it, and for its sessions", () => {
  const left = (ms: number, held = 0) =>
    assess({ status: "starting" }, {
      status: "offline",
      updatedAt: NOW - ms,
      held,
    }).type;
  assert.deepEqual([left(60_000), left(60_001)], ["kept", "failed"]);
  assert.equal(left(500_000, 1), "kept");
});

Deno.test("assessMachine() calls nothing late that this server has not observed", () => {
  const starting = { status: "starting" as const };
  const since = { ...listed(NOW), observedSince: NOW - 50_000 };
  assert.equal(assess(starting, undefined, since).type, "kept");
  const lost = { status: "offline" as const, updatedAt: NOW - 500_000 };
  assert.equal(assess({}, lost, since).type, "kept");
  assert.equal(assess({}, undefined, since).type, "kept");
});

Deno.test("assessMachine() measures from its first observation what a clock that was set back left in the future", () => {
  const later = NOW + 9_000_000;
  const after = (ms: number) => ({ observedSince: NOW - ms });
  const starting = { status: "starting" as const, acceptedAt: later };
  assert.equal(assess(starting, undefined, after(120_000)).type, "kept");
  assert.equal(assess(starting, undefined, after(120_001)).type, "failed");
  const lost = { status: "offline" as const, updatedAt: later };
  assert.equal(assess({}, lost, after(60_000)).type, "kept");
  assert.equal(assess({}, lost, after(60_001)).type, "useless");
  const deleted = { statusAt: later };
  assert.equal(assess(deleted, undefined, after(60_001)).type, "useless");
  const removing = { status: "removing" as const, removedAt: later };
  const since = { observedSince: NOW - 2_000 };
  const listedAt = (at: number) =>
    assess(removing, undefined, { ...listed(at), ...since }).type;
  assert.deepEqual(
    [listedAt(NOW - 3_000), listedAt(NOW - 1_000)],
    ["kept", "gone"],
  );
});

Deno.test("assessMachine() forgets a removed machine once a later list lacks it and its worker holds nothing", () => {
  const removing = { status: "removing" as const, removedAt: NOW - 1_000 };
  const later = listed(NOW);
  assert.equal(assess(removing, undefined, later).type, "gone");
  const drained = { held: 1, drainRequestedAt: NOW };
  assert.equal(assess(removing, drained, later).type, "kept");
  assert.equal(assess(removing, { held: 1 }, later).type, "undrained");
  assert.equal(assess(removing, undefined, listed(NOW - 2_000)).type, "kept");
  const there = listed(NOW, { workerId: ID, status: "ended" });
  assert.equal(assess(removing, undefined, there).type, "kept");
  const early = { ...removing, removedAt: null };
  assert.equal(assess(early, undefined, later).type, "kept");
});
