/**
 * A whole grid whose workers the server starts in pods.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createClient } from "../../../src/client/client.ts";
import { docker, dockerMissing } from "../../support/docker.ts";
import { eventually, gone } from "../../support/eventually.ts";
import { startCluster } from "../../support/kubernetes/cluster.ts";
import { startProgram } from "../../support/program.ts";
import { connectTo } from "../../support/provider_machine.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const IMAGE = "browsergrid/worker:latest";

const API_KEY = "key-of-the-kubernetes-scene-0123456789";

const hasImage = await docker.getImage(IMAGE).inspect().then(
  () => true,
  () => false,
);

/** Returns the address of this machine in the engine's default network. */
async function findGateway(): Promise<string> {
  const { IPAM } = await docker.getNetwork("bridge").inspect();
  return IPAM?.Config?.[0]?.Gateway ?? "127.0.0.1";
}

const skip = dockerMissing ??
  (hasImage
    ? undefined
    : `the engine has no image ${IMAGE}; run "deno task image --worker"`);

const title =
  "a session of a pool with unit worker runs on a worker in a pod, is reached by its tunnel, and the pod and its secret are removed afterwards";

if (skip !== undefined) {
  // deno-lint-ignore no-console -- the reason of a skipped test is its result
  console.log(`skipped: ${title}: ${skip}`);
}

Deno.test({ name: title, ignore: skip !== undefined }, async () => {
  await using cluster = await startCluster();
  await using folder = await temporaryFolder();
  await using program = startProgram(
    // An address that containers of the engine reach.
    ["serve", "--host", await findGateway(), "--port", "0"]
      .concat("--data-dir", folder.path),
    {
      BROWSERGRID_API_KEY: API_KEY,
      BROWSERGRID_HEARTBEAT_SECONDS: "1",
      BROWSERGRID_SCALE_DOWN_SECONDS: "1",
    },
  );
  const [, apiUrl = ""] = await program.until(/API +(http:\S+)\/v1/);
  const client = createClient({ apiUrl, apiKey: API_KEY });
  const pool = await client.createPool({
    name: "pods",
    provider_type: "kubernetes",
    provider_config: cluster.config({
      unit: "worker",
      worker_capacity: 2,
      // An engine rejects more cores than it has.
      worker_cpu: 1,
      worker_memory: "2G",
    }),
    max_workers: 1,
  });
  assert.doesNotMatch(JSON.stringify(pool), new RegExp(cluster.token));
  const { id } = await client.createSession({ work_pool_id: pool.id });
  const session = await eventually("the session runs", async () => {
    const session = await client.getSession(id);
    assert.notEqual(session.status, "failed", session.status_reason ?? "");
    return session.status === "running" ? session : undefined;
  });
  const [pod, ...others] = cluster.store.list("pods");
  assert.deepEqual(others, []);
  const [secret] = cluster.store.list("secrets");
  const key = String(secret?.stringData["api-key"]);
  // A key of this worker's pool, not the admin's.
  assert.match(key, /^bg_/);
  assert.ok(!JSON.stringify(pod).includes(key));
  const { items: [worker] } = await client.listWorkers({});
  assert.partialDeepStrictEqual(worker, {
    capacity: 2,
    reach: "tunnel",
    has_tunnel: true,
  });
  {
    const endpoint = new URL(String(session.connect_url));
    await using browser = await connectTo({ endpoint });
    assert.match(await browser.version(), /Chrome\//);
  }
  await client.stopSession(id);
  await gone("resource of the cluster", () => cluster.listResources());
});
