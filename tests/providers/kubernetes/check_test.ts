import assert from "node:assert/strict";
import type { CheckResult } from "../../../src/core/provider.ts";
import { freePort } from "../../support/free_port.ts";
import {
  startCluster,
  type TestCluster,
} from "../../support/kubernetes/cluster.ts";
import { openHost } from "../../support/kubernetes/open_host.ts";

/** The line that names what a failure of credentials or server prevents. */
const UNCHECKED =
  "warn not checked: rights, secrets, runtime class and admission, which need a sign-in";

async function check(
  config: Readonly<Record<string, unknown>>,
): Promise<readonly CheckResult[]> {
  await using opened = await openHost(config);
  return await opened.host.check();
}

function render(results: readonly CheckResult[]): string[] {
  return results.map(({ name, status, detail }) =>
    `${status} ${name}: ${detail}`
  );
}

/** Makes a cluster without rights and without what the pool names. */
function breakCluster({ faults }: TestCluster): void {
  faults.denied.add("watch pods").add("create secrets").add("get pods");
  faults.denied.add("list events");
}

Deno.test("check() of a right configuration reports each requirement", async () => {
  await using cluster = await startCluster();
  const results = await check(cluster.config());
  assert.deepEqual(render(results), [
    `ok api: Kubernetes v1.32.0-contract at 127.0.0.1:${cluster.port}, by the api_server of the pool`,
    'ok access: The credentials have the 9 rights that this pool needs in namespace "browsers"',
    'ok admission: Namespace "browsers" accepts pods of this pool',
    "ok egress: The cluster accepts pods that limit their own network",
    "warn reach: Browsers are reached at their pods' addresses, although this worker runs outside the cluster: its network must route them",
    "warn sandbox: Chromium's sandbox needs user namespaces, which the runtime's default filter does not allow: install the profile of \"browsergrid docker seccomp-profile\" on the nodes and set seccomp to localhost",
  ]);
  assert.deepEqual(cluster.store.list("pods"), []);
});

Deno.test("check() of pods for workers reports their requirements only", async () => {
  await using cluster = await startCluster();
  assert.deepEqual(render(await check(cluster.config({ unit: "worker" }))), [
    `ok api: Kubernetes v1.32.0-contract at 127.0.0.1:${cluster.port}, by the api_server of the pool`,
    'ok access: The credentials have the 6 rights that this pool needs in namespace "browsers"',
    'ok admission: Namespace "browsers" accepts pods of this pool',
    "warn sandbox: Chromium's sandbox needs user namespaces, which the runtime's default filter does not allow: install the profile of \"browsergrid docker seccomp-profile\" on the nodes and set seccomp to localhost",
  ]);
});

Deno.test("check() with a rejected token says how to renew it, without the token", async () => {
  await using cluster = await startCluster();
  const results = render(
    await check(cluster.config({ token: "planted-token-9" })),
  );
  assert.deepEqual(results, [
    `fail api: Cannot use the Kubernetes API at 127.0.0.1:${cluster.port}, by the api_server of the pool: Unauthorized. Renew the token, such as with "kubectl create token browsergrid-worker"`,
    UNCHECKED,
  ]);
});

Deno.test("check() names each missing right, and those that starts work without", async () => {
  await using cluster = await startCluster();
  breakCluster(cluster);
  const results = render(await check(cluster.config()));
  assert.deepEqual(results.filter((line) => / access: /.test(line)), [
    'fail access: Cannot get "pods" in namespace "browsers": the credentials do not have this right, expected the role of deploy/kubernetes/rbac.yaml',
    'fail access: Cannot create "secrets" in namespace "browsers": the credentials do not have this right, expected the role of deploy/kubernetes/rbac.yaml',
    'fail access: Cannot watch "pods" in namespace "browsers": the credentials do not have this right, expected the role of deploy/kubernetes/rbac.yaml',
    'warn access: Cannot list "events" in namespace "browsers": the credentials do not have this right; the reasons of pods that do not start are shorter',
  ]);
});

Deno.test("check() of a pool whose namespace, secret and runtime class are missing says so", async () => {
  await using cluster = await startCluster();
  const missing = render(await check(cluster.config({ namespace: "absent" })));
  assert.ok(
    missing.includes(
      'fail admission: The cluster rejects pods of this pool: namespaces "absent" not found',
    ),
  );
  const config = cluster.config({
    image_pull_secrets: ["registry"],
    runtime_class: "gvisor",
  });
  const results = render(await check(config));
  assert.ok(
    results.includes(
      'fail image_pull_secret: Image pull secret "registry" of namespace "browsers" is missing: create it',
    ),
  );
  assert.ok(
    results.includes(
      'fail runtime_class: Runtime class "gvisor" is missing: create it',
    ),
  );
  assert.match(
    results.join("\n"),
    /fail admission: .*RuntimeClass "gvisor" not found/,
  );
});

Deno.test("check() warns if the namespace rejects pods that limit their own network", async () => {
  await using cluster = await startCluster();
  cluster.faults.podProblem = ({ spec }) =>
    spec.containers[0].securityContext.capabilities.add?.includes("NET_ADMIN")
      ? 'violates PodSecurity "restricted:latest": unrestricted capabilities'
      : undefined;
  const results = render(await check(cluster.config()));
  assert.match(
    results.join("\n"),
    /warn egress: The cluster rejects pods that limit their own network .* unless the pool's egress is open: .*violates PodSecurity "restricted:latest"/,
  );
});

Deno.test("check() of an address without a server says what to set", async () => {
  const port = freePort();
  const results = render(
    await check({ api_server: `http://127.0.0.1:${port}`, token: "t" }),
  );
  assert.deepEqual(results, [
    `fail api: Kubernetes API at 127.0.0.1:${port}, by the api_server of the pool, refuses connections. Set the address of the API server, and check that this host reaches it`,
    UNCHECKED,
  ]);
});

Deno.test("check() of api_server without a token says so before it connects; a proxy on loopback may add one", async () => {
  const port = freePort();
  const find = async (api_server: string) =>
    render(await check({ api_server }));
  assert.deepEqual(await find(`https://127.0.0.1:${port}`), [
    `fail credentials: Cannot sign in to the Kubernetes API at 127.0.0.1:${port}: api_server is set without token, expected the token of a service account, such as of "kubectl create token browsergrid-worker"`,
    UNCHECKED,
  ]);
  const [proxied] = await find(`http://127.0.0.1:${port}`);
  assert.match(proxied ?? "", /^fail api: .* refuses connections/);
});
