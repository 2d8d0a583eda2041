import assert from "node:assert/strict";
import { containerGroupSchema } from "../../../src/providers/azure_container_instance/arm/schemas.ts";
import {
  createSessionGroupName,
  toMachineGroupName,
} from "../../../src/providers/azure_container_instance/group/group_name.ts";
import { readGroupState } from "../../../src/providers/azure_container_instance/group/state.ts";

/** Returns the state of a group with these views. */
function readState(
  provisioningState: string,
  state: string | undefined,
  currentState?: Readonly<Record<string, unknown>>,
  events: readonly object[] = [],
) {
  return readGroupState(containerGroupSchema.parse({
    name: "g",
    properties: {
      provisioningState,
      ipAddress: { ip: "10.0.0.4" },
      instanceView: { state, events },
      containers: [{
        name: "main",
        properties: { instanceView: { currentState, events: [] } },
      }],
    },
  }));
}

Deno.test("readGroupState() distinguishes groups that start, run and have ended, with the reason of Azure", () => {
  const warning = { type: "Warning", name: "Failed", message: "no such image" };
  const running = { state: "Running" };
  assert.deepEqual(readState("Pending", undefined), {
    phase: "starting",
    detail: undefined,
  });
  assert.deepEqual(readState("Creating", "Pending", undefined, [warning]), {
    phase: "starting",
    detail: "no such image",
  });
  assert.deepEqual(readState("Repairing", "Pending", { state: "Waiting" }), {
    phase: "starting",
    detail: undefined,
  });
  assert.deepEqual(readState("Succeeded", "Running", running), {
    phase: "running",
    ip: "10.0.0.4",
  });
  const ends: readonly [ReturnType<typeof readState>, boolean, string][] = [
    [
      readState("Succeeded", "Succeeded", {
        state: "Terminated",
        exitCode: 0,
        detailStatus: "Completed",
      }),
      true,
      "exit code 0",
    ],
    [
      readState("Succeeded", "Failed", {
        state: "Terminated",
        exitCode: 137,
        detailStatus: "OOMKilled",
      }),
      false,
      "killed by Azure: out of memory",
    ],
    [
      readState("Succeeded", "Failed", { state: "Terminated", exitCode: 139 }),
      false,
      "exit code 139",
    ],
    [
      readState("Failed", "Failed", undefined, [warning]),
      false,
      "provisioning Failed: no such image",
    ],
    [
      readState("Deleting", "Running", running),
      false,
      "the container group was deleted",
    ],
  ];
  for (const [state, isClean, detail] of ends) {
    assert.deepEqual(state, { phase: "ended", isClean, detail });
  }
});

Deno.test("names of groups are unique for sessions, constant for workers, and valid for Azure", () => {
  const valid = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
  const id = crypto.randomUUID();
  const one = createSessionGroupName(id);
  assert.notEqual(one, createSessionGroupName(id));
  assert.ok(one.includes(id));
  assert.equal(toMachineGroupName(id), `browsergrid-worker-${id}`);
  for (const odd of ["A_b--c", "x".repeat(99), "-", "é"]) {
    assert.match(createSessionGroupName(odd), valid);
    assert.match(toMachineGroupName(odd), valid);
    assert.doesNotMatch(createSessionGroupName(odd), /--/);
  }
});
