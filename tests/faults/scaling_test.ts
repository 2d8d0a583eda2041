import assert from "node:assert/strict";
import { isTerminal } from "../../src/apps/sessions/status.ts";
import { systemClock } from "../../src/async/clock.ts";
import { kill as killProgram } from "../support/chaos_grid.ts";
import { eventually, gone } from "../support/eventually.ts";
import { kill } from "../support/process_machine_host.ts";
import { type ScalingScene, setScalingScene } from "./scaling_scene.ts";

/** Number of sessions of the show. */
const SESSIONS = 200;

/** Number of sessions that are requested and not ended at the same time. */
const CONCURRENT = 40;

/** Number of workers that are killed. */
const KILLS = 3;

/** Requests a session, and ends it a moment after it runs. Returns its last status. */
async function useSession({ client }: ScalingScene) {
  const { id } = await client.createSession({ queue_timeout_seconds: 60 });
  const running = await eventually(
    "the session runs or has ended",
    async () => {
      const session = await client.getSession(id);
      return session.status === "running" || isTerminal(session.status)
        ? session
        : undefined;
    },
    { withinMs: 60_000 },
  );
  if (running.status === "running") {
    await systemClock.sleep(300);
    // A session that has crashed by then cannot be ended.
    await client.stopSession(id).catch(() => {});
  }
  return await eventually("the session ends", async () => {
    const session = await client.getSession(id);
    return isTerminal(session.status) ? session : undefined;
  });
}

/** Kills random workers that hold sessions. Returns their ids. */
async function killWorkers(scene: ScalingScene): Promise<readonly string[]> {
  const killed: string[] = [];
  while (killed.length < KILLS) {
    const victim = await eventually("a worker holds sessions", async () => {
      const { items } = await scene.client.listWorkers({ status: "online" });
      const busy = items.filter(({ id, current_load }) =>
        current_load > 0 && !killed.includes(id)
      );
      return busy[Math.floor(Math.random() * busy.length)];
    });
    const identity = await scene.machines.readProcess(victim.id);
    assert.ok(identity);
    await kill(identity);
    killed.push(victim.id);
    await systemClock.sleep(1_000);
  }
  return killed;
}

/** Asserts that no machine, worker, key or record of a machine is left. */
async function assertNothingLeft(scene: ScalingScene): Promise<void> {
  const { client, poolId, machines } = scene;
  await gone("machines", () => machines.list(), { withinMs: 40_000 });
  await gone("workers", async () => (await client.listWorkers()).items);
  await gone("keys", async () => (await client.listKeys()).items);
  const pressure = await client.getPoolPressure(poolId);
  const { last_failure: _, ...counts } = pressure.machines ?? {};
  assert.deepEqual([...new Set(Object.values(counts))], [0]);
  assert.equal(pressure.wanted_workers, 0);
}

Deno.test("200 sessions over a scaling pool of two servers with workers killed at random: none is lost, and no machine, key or record is left", async () => {
  await using scene = await setScalingScene({ max_workers: 4 });
  await scene.startSecondServer();
  let left = SESSIONS;
  const ends: Awaited<ReturnType<typeof useSession>>[] = [];
  async function useSessions(): Promise<void> {
    while (left-- > 0) ends.push(await useSession(scene));
  }
  const [killed] = await Promise.all([
    killWorkers(scene),
    ...Array.from({ length: CONCURRENT }, useSessions),
  ]);
  assert.equal(ends.length, SESSIONS);
  for (const { id, status, status_reason, worker_id } of ends) {
    // A machine that gets no processor time for heartbeats loses its sessions, with this reason and no other.
    const isCrash = killed.includes(worker_id ?? "") ||
      /could not reach the server/.test(status_reason ?? "");
    const isProper = status === "completed" || status === "crashed" && isCrash;
    assert.ok(isProper, `${id}: ${status} ${status_reason}`);
  }
  const { items } = await scene.client.listWorkers();
  assert.ok(items.filter(({ status }) => status !== "offline").length <= 4);
  await assertNothingLeft(scene);
});

Deno.test("a server that is killed in the middle of a start leaves one machine, which its next start takes over with the same key", async () => {
  await using scene = await setScalingScene({});
  const { client, holdFile, machines, poolId } = scene;
  await Deno.writeTextFile(holdFile, "");
  const { id } = await client.createSession({});
  await eventually("the machine is there", async () => {
    return (await machines.list())[0]?.status === "running";
  });
  await killProgram(scene.server);
  await Deno.remove(holdFile);
  await scene.restartServer();
  await eventually("the session runs", async () => {
    return (await client.getSession(id)).status === "running";
  });
  assert.equal((await machines.list()).length, 1);
  await eventually("the machine runs", async () => {
    const pressure = await client.getPoolPressure(poolId);
    return pressure.machines?.running === 1;
  });
  assert.equal((await client.listKeys()).items.length, 1);
  await client.stopSession(id);
  await assertNothingLeft(scene);
});
