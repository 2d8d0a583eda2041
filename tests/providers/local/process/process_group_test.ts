import assert from "node:assert/strict";
import { systemClock } from "../../../../src/async/clock.ts";
import {
  endGroup,
  isGroupAlive,
} from "../../../../src/providers/local/process/process_group.ts";
import {
  isRunning,
  readStartTime,
} from "../../../../src/providers/local/process/process_identity.ts";
import { startGroup } from "../../../support/process_group.ts";

Deno.test("endGroup() also ends the children of a process", async () => {
  const { leader, closed } = await startGroup(
    "sleep 300 & sleep 300 & echo; wait",
  );
  assert.ok(await isGroupAlive(leader.pid));
  await endGroup(leader);
  assert.ok(!await isGroupAlive(leader.pid));
  await closed;
});

Deno.test("endGroup() ends children whose parent has ended", async () => {
  const { leader, exited, closed } = await startGroup("sleep 300 & echo; exit");
  await exited;
  assert.equal(await readStartTime(leader.pid), undefined);
  assert.ok(await isGroupAlive(leader.pid));
  await endGroup(leader);
  assert.ok(!await isGroupAlive(leader.pid));
  await closed;
});

Deno.test("endGroup() ends a group whose processes start others and end faster than they can be listed", async () => {
  const { leader, closed } = await startGroup(
    `trap '' TERM; export S='sh -c "$S" &'; echo; sh -c "$S"`,
  );
  const gone = Promise.withResolvers<string>();
  const timer = setTimeout(() => gone.resolve("a process is left"), 2_000);
  void closed.then(() => gone.resolve("no process is left"));
  try {
    await endGroup(leader, () => Infinity);
    assert.equal(await gone.promise, "no process is left");
  } finally {
    clearTimeout(timer);
    await new Deno.Command("kill", {
      args: ["-KILL", "--", `-${leader.pid}`],
      stderr: "null",
    }).output();
    await closed;
  }
});

Deno.test("endGroup() asks a group to end before killing it", async () => {
  const { leader, exited, closed } = await startGroup(
    "trap 'exit 7' TERM; echo; while :; do sleep 0.01; done",
  );
  await endGroup(leader, () => Infinity);
  assert.deepEqual(await exited, [7, null]);
  await closed;
});

Deno.test("endGroup() kills a group that does not end on request, as soon as killAt allows", async () => {
  const { leader, exited, closed } = await startGroup(
    "trap '' TERM; echo; while :; do sleep 0.01; done",
  );
  let killAt = Infinity;
  const ending = endGroup(leader, () => killAt);
  await systemClock.sleep(100);
  assert.ok(await isRunning(leader));
  killAt = systemClock.monotonic();
  await ending;
  assert.deepEqual(await exited, [null, "SIGKILL"]);
  await closed;
});

Deno.test("endGroup() does not touch a process with the id of an ended one", async () => {
  const { leader, closed } = await startGroup("echo; exec sleep 300");
  const earlier = { pid: leader.pid, start_mark: "1" };
  assert.ok(!await isRunning(earlier));
  await endGroup(earlier);
  assert.ok(await isRunning(leader));
  await endGroup(leader);
  await closed;
});

Deno.test("endGroup() of a group that has ended resolves", async () => {
  const { leader, closed } = await startGroup("echo");
  await closed;
  await endGroup(leader);
  assert.ok(!await isRunning(leader));
});

for (const pid of [0, 1]) {
  Deno.test(`endGroup() rejects group ${pid}, which contains more than one browser`, async () => {
    await assert.rejects(endGroup({ pid, start_mark: "" }), RangeError);
  });
}
