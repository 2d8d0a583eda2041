/**
 * Workers in container groups: the request, its rejections, and the machines that are listed and removed.
 *
 * @module
 */
import assert from "node:assert/strict";
import { MachineStartError } from "../../../src/core/provider/machines.ts";
import { AzureServer } from "../../support/azure/azure_server.ts";
import { openTestMachines } from "../../support/azure/azure_host.ts";
import { reject } from "../../support/azure/groups.ts";
import { dockerTest } from "../../support/docker.ts";
import { waitUntil } from "../../support/provider_machine.ts";

const NEVER = new AbortController().signal;

const PUT = /^PUT .*\/containerGroups\//;

const KEY = "bg_12345678_planted-key-of-a-worker";

/** An image that has no worker: its container prints an error and ends. */
const IMAGE = { worker_image: "debian:bookworm-slim" };

const toMachine = (workerId: string) => ({
  workerId,
  serverUrl: "https://grid.example.test",
  apiKey: KEY,
  capacity: 6,
});

Deno.test("start() requests a group without an address, whose key is a secure value", async () => {
  await using azure = await AzureServer.start();
  const never = Promise.withResolvers<void>();
  azure.groups.provisioning = never.promise;
  await using machines = await openTestMachines(azure, {
    image_prefix: "r.azurecr.io/grid",
    registry_server: "r.azurecr.io",
    registry_identity:
      "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/puller",
    subnet_id: undefined,
  });
  const workerId = crypto.randomUUID();
  await machines.start(toMachine(workerId), NEVER);
  const { request } = azure.groups.get(`browsergrid-worker-${workerId}`);
  assert.partialDeepStrictEqual(request.tags, {
    "browsergrid-grid": "grid-1",
    "browsergrid-pool": "pool-1",
    "browsergrid-machine": workerId,
  });
  const { properties } = request;
  assert.equal(properties.ipAddress, undefined);
  assert.equal(properties.subnetIds, undefined);
  assert.equal(properties.restartPolicy, "Never");
  const [container] = properties.containers;
  assert.deepEqual(container?.properties, {
    image: "r.azurecr.io/grid/worker:latest",
    command: [
      ...["tini", "--", "browsergrid", "worker"],
      ...["--work-pool-id", "pool-1", "--worker-id", workerId],
      ...["--capacity", "6", "--reach", "tunnel"],
    ],
    environmentVariables: [
      { name: "BROWSERGRID_API_URL", value: "https://grid.example.test" },
      { name: "BROWSERGRID_API_KEY", secureValue: KEY },
    ],
    resources: { requests: { cpu: 4, memoryInGB: 8 } },
  });
  assert.deepEqual(await machines.list(NEVER), [
    { workerId, status: "starting", detail: "ContainerCreating" },
  ]);
});

dockerTest(
  "a machine is started once, listed with its end, and removed",
  async () => {
    await using azure = await AzureServer.start();
    await using machines = await openTestMachines(azure, IMAGE);
    const workerId = crypto.randomUUID();
    await machines.start(toMachine(workerId), NEVER);
    await machines.start(toMachine(workerId), NEVER);
    assert.equal(azure.requests.filter((line) => PUT.test(line)).length, 1);
    await waitUntil(async () =>
      (await machines.list(NEVER))[0]?.status === "ended"
    );
    const [machine] = await machines.list(NEVER);
    assert.match(machine?.detail ?? "", /Failed|exit code/);
    await using others = await openTestMachines(azure, IMAGE, {
      gridId: "grid-1",
      poolId: "pool-2",
    });
    assert.deepEqual(await others.list(NEVER), []);
    await machines.remove(workerId, NEVER);
    await machines.remove(workerId, NEVER);
    await waitUntil(async () => (await machines.list(NEVER)).length === 0);
    await machines.remove(crypto.randomUUID(), NEVER);
    assert.deepEqual(await azure.listResources(), []);
  },
);

Deno.test("start() decides a lost response by the name, and starts no second machine", async () => {
  await using azure = await AzureServer.start();
  azure.groups.provisioning = new Promise(() => {});
  await using machines = await openTestMachines(azure);
  const lost = azure.loseResponse(PUT);
  const workerId = crypto.randomUUID();
  await machines.start(toMachine(workerId), NEVER);
  await lost;
  assert.deepEqual(azure.groups.names, [`browsergrid-worker-${workerId}`]);
});

Deno.test("start() rejects with a pause after a rate limit, a quota and a lack of machines, and otherwise without", async () => {
  await using azure = await AzureServer.start();
  await using machines = await openTestMachines(azure);
  const start = () => machines.start(toMachine(crypto.randomUUID()), NEVER);
  azure.reject(PUT, {
    ...reject(429, "TooManyRequests", "300 an hour"),
    headers: { "retry-after": "120" },
  });
  await assert.rejects(start(), (error) => {
    assert.ok(error instanceof MachineStartError);
    assert.equal(error.retryAfterMs, 120_000);
    assert.match(
      error.message,
      /^Cannot start container group "browsergrid-worker-\S+": it responds with 429 .*300 an hour/,
    );
    return true;
  });
  for (
    const reply of [
      reject(400, "ContainerGroupQuotaReached", "Limit: '10'"),
      reject(409, "ServiceUnavailable", "not available in the location"),
      reject(503, "ServerTimeout", "busy"),
    ]
  ) {
    azure.reject(PUT, reply);
    await assert.rejects(start(), (error) => {
      assert.ok(error instanceof MachineStartError);
      assert.equal(error.retryAfterMs, undefined);
      return true;
    });
  }
  azure.reject(PUT, reject(403, "AuthorizationFailed", "no role"));
  await assert.rejects(start(), (error) => {
    assert.ok(!(error instanceof MachineStartError));
    assert.match(String(error), /403 AuthorizationFailed no role/);
    return true;
  });
  assert.deepEqual(azure.groups.names, []);
});

Deno.test("list() counts a machine whose group cannot be read as running, and fails with the list of groups", async () => {
  await using azure = await AzureServer.start();
  azure.groups.provisioning = new Promise(() => {});
  await using machines = await openTestMachines(azure);
  const workerIds = [crypto.randomUUID(), crypto.randomUUID()];
  for (const workerId of workerIds) {
    await machines.start(toMachine(workerId), NEVER);
  }
  const failure = reject(400, "BadRequest", "no");
  azure.reject(new RegExp(`^GET .*${workerIds[0]}$`), failure);
  const listed = await machines.list(NEVER);
  assert.deepEqual(
    new Map(listed.map(({ workerId, status }) => [workerId, status])),
    new Map([[workerIds[0], "running"], [workerIds[1], "starting"]]),
  );
  azure.reject(/^GET .*\/containerGroups$/, failure);
  await assert.rejects(machines.list(NEVER), /Cannot list container groups/);
});

Deno.test("all operations reject with the reason of their signal, and fail with a reason during an outage", async () => {
  await using azure = await AzureServer.start();
  await using machines = await openTestMachines(azure);
  const machine = toMachine(crypto.randomUUID());
  const operations = (signal: AbortSignal) => [
    machines.start(machine, signal),
    machines.list(signal),
    machines.remove(machine.workerId, signal),
  ];
  const aborted = AbortSignal.abort(new Error("no longer wanted"));
  for (const operation of operations(aborted)) {
    await assert.rejects(operation, /no longer wanted/);
  }
  await azure.cut();
  for (const operation of operations(NEVER)) {
    await assert.rejects(operation, /^Error: Cannot .*does not answer: ./);
  }
});
