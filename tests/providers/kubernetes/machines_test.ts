import assert from "node:assert/strict";
import {
  type MachineHost,
  MachineStartError,
} from "../../../src/core/provider/machines.ts";
import { kubernetes } from "../../../src/providers/kubernetes/provider.ts";
import { TEST_IMAGE } from "../../support/docker.ts";
import {
  startCluster,
  type TestCluster,
} from "../../support/kubernetes/cluster.ts";
import { StatusError } from "../../support/kubernetes/objects.ts";
import { clusterTest } from "../../support/kubernetes/scene.ts";
import { NEVER, waitUntil } from "../../support/provider_machine.ts";

const MACHINE = {
  workerId: "01890000-0000-7000-8000-000000000001",
  serverUrl: "https://grid.example",
  apiKey: "planted-key-4",
  capacity: 4,
};

/** Runs in place of a worker: ends when it is asked to. */
const COMMAND = [
  "sh",
  "-c",
  "trap 'exit 0' TERM; echo Draining; while :; do sleep 0.05; done",
];

const NAME = `browsergrid-worker-${MACHINE.workerId}`;

async function openMachines(
  cluster: TestCluster,
  poolId = "pool-1",
): Promise<MachineHost> {
  const config = kubernetes.configSchema.parse(cluster.config({
    unit: "worker",
    worker_image: TEST_IMAGE,
    // An engine rejects more cores than it has.
    worker_cpu: 1,
  }));
  const machines = kubernetes.machines?.(config);
  assert.ok(machines);
  return await machines.open({ gridId: "grid-1", poolId });
}

Deno.test("machines() are those of unit worker, whose browsers have no credentials of the cluster", () => {
  const config = { token: "planted-token-6", api_server: "https://c" };
  const session = kubernetes.configSchema.parse(config);
  assert.equal(kubernetes.machines?.(session), undefined);
  const worker = kubernetes.configSchema.parse({ ...config, unit: "worker" });
  const machines = kubernetes.machines?.(worker);
  assert.equal(machines?.capacity, 4);
  assert.deepEqual(machines?.browsers, {
    provider: "local",
    config: { sandbox: "off", arguments: [] },
  });
});

Deno.test("the place of machines is the cluster and namespace, whatever the credentials and the image", () => {
  const findPlace = (config: Readonly<Record<string, unknown>>) =>
    kubernetes.machines?.(
      kubernetes.configSchema.parse({ unit: "worker", ...config }),
    )?.place;
  const cluster = { api_server: "https://c", namespace: "n" };
  const place = findPlace(cluster);
  assert.equal(findPlace({ ...cluster, token: "t", worker_image: "w" }), place);
  const others = [
    { ...cluster, namespace: "o" },
    { ...cluster, api_server: "https://d" },
    { namespace: "n", kubeconfig: "/k" },
    { namespace: "n", context: "a" },
  ];
  assert.equal(new Set([place, ...others.map(findPlace)]).size, 5);
});

Deno.test("a token is accepted for https, or http on loopback only", () => {
  const parse = (api_server: string) =>
    kubernetes.configSchema.safeParse({ api_server }).success;
  const accepted = ["https://c/k8s", "http://127.0.0.1:1", "http://[::1]:1"];
  assert.deepEqual(accepted.filter(parse), accepted);
  const rejected = [
    "http://c",
    "http://127.0.0.1.example",
    "https://me:pw@c",
    "ftp://127.0.0.1",
  ];
  assert.deepEqual(rejected.filter(parse), []);
});

Deno.test("unit worker rejects sessions whose proxy its local browsers cannot use", () => {
  const wish = (proxy_url: string) => ({
    egress: "open" as const,
    proxy: { proxy_url, proxy_username: "me" },
  });
  const worker = kubernetes.configSchema.parse({ unit: "worker" });
  assert.match(
    kubernetes.unsupported?.(wish("socks4://p:1"), worker) ?? "",
    /^it sends no user name to socks4 proxies such as "socks4:\/\/p:1"/,
  );
  const socks5 = wish("socks5://p:1");
  assert.equal(kubernetes.unsupported?.(socks5, worker), undefined);
  const session = kubernetes.configSchema.parse({});
  assert.match(
    kubernetes.unsupported?.(socks5, session) ?? "",
    /credentials to http:\/\/ proxies only/,
  );
});

clusterTest(
  "start() creates one pod for a worker, even if it is repeated, and its key is only in a secret that the pod owns",
  async () => {
    await using cluster = await startCluster();
    await using host = await openMachines(cluster);
    cluster.faults.fail(/^POST .*\/pods$/, "lost");
    await host.start(MACHINE, NEVER);
    await host.start(MACHINE, NEVER);
    const [pod, ...others] = cluster.store.list("pods");
    assert.ok(pod);
    assert.deepEqual(others, []);
    assert.equal(pod.metadata.name, NAME);
    const text = JSON.stringify(pod);
    assert.ok(!text.includes("planted-key-4"));
    assert.match(text, /"--reach","tunnel"/);
    assert.equal(pod.spec.terminationGracePeriodSeconds, 3_630);
    const [secret] = cluster.store.list("secrets");
    assert.equal(secret?.stringData["api-key"], "planted-key-4");
    assert.equal(secret?.metadata.ownerReferences?.[0]?.uid, pod.metadata.uid);
  },
);

clusterTest(
  "list() returns the pool's machines with their status, and remove() removes one with its secret",
  async () => {
    await using cluster = await startCluster();
    await using host = await openMachines(cluster);
    await using otherPool = await openMachines(cluster, "pool-2");
    cluster.nodes.fate = { command: COMMAND };
    await host.start(MACHINE, NEVER);
    await waitUntil(async () =>
      (await host.list(NEVER))[0]?.status === "running"
    );
    assert.deepEqual(await otherPool.list(NEVER), []);
    await waitUntil(async () =>
      await host.logs?.(MACHINE.workerId, 50, NEVER) === "Draining"
    );
    await host.remove(MACHINE.workerId, NEVER);
    await waitUntil(async () => (await cluster.listResources()).length === 0);
    await host.remove(MACHINE.workerId, NEVER);
    assert.deepEqual(await host.list(NEVER), []);
  },
);

clusterTest(
  "list() reports why a machine does not start, and its end",
  async () => {
    await using cluster = await startCluster();
    await using host = await openMachines(cluster);
    cluster.nodes.fate = { unschedulable: "0/1 nodes are available" };
    await host.start(MACHINE, NEVER);
    await waitUntil(async () =>
      (await host.list(NEVER))[0]?.detail ===
        "it has no node: Unschedulable: 0/1 nodes are available"
    );
    await host.remove(MACHINE.workerId, NEVER);
    cluster.nodes.fate = { command: COMMAND };
    await host.start(MACHINE, NEVER);
    await waitUntil(async () =>
      (await host.list(NEVER))[0]?.status === "running"
    );
    await cluster.nodes.find(NAME).end("Evicted", "low on memory");
    await waitUntil(async () =>
      (await host.list(NEVER))[0]?.status === "ended"
    );
    assert.deepEqual(await host.list(NEVER), [{
      workerId: MACHINE.workerId,
      status: "ended",
      detail: "evicted: low on memory",
    }]);
  },
);

Deno.test("start() that the quota or a rate limit rejects says when to try again", async () => {
  await using cluster = await startCluster();
  await using host = await openMachines(cluster);
  cluster.faults.podProblem = () => "exceeded quota: workers";
  await assert.rejects(host.start(MACHINE, NEVER), (error: unknown) => {
    assert.ok(error instanceof MachineStartError);
    assert.match(
      error.message,
      /^Cannot start a pod for worker ".*": .*exceeded quota: workers$/,
    );
    assert.equal(error.retryAfterMs, 30_000);
    return true;
  });
  cluster.faults.podProblem = undefined;
  // The pod of the first attempt uses up the quota, and its response is lost.
  const create = /^POST .*\/pods$/;
  cluster.faults.fail(create, "lost");
  cluster.faults.fail(
    create,
    new StatusError(403, "Forbidden", "exceeded quota"),
  );
  await assert.rejects(
    host.start(MACHINE, NEVER),
    (error: unknown) => error instanceof MachineStartError,
  );
  await host.remove(MACHINE.workerId, NEVER);
  cluster.faults.podProblem = () => "denied by a webhook";
  await assert.rejects(host.start(MACHINE, NEVER), (error: unknown) => {
    assert.ok(!(error instanceof MachineStartError));
    return true;
  });
  const status = new StatusError(429, "TooManyRequests", "slow down", 0);
  cluster.faults.podProblem = undefined;
  cluster.faults.fail(create, status, { times: 4 });
  await assert.rejects(
    host.start(MACHINE, NEVER),
    (error: unknown) => error instanceof MachineStartError,
  );
});
