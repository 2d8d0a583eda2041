import assert from "node:assert/strict";
import type { CheckResult } from "../../../src/core/provider.ts";
import { azureContainerInstance } from "../../../src/providers/azure_container_instance/provider.ts";
import { AzureServer } from "../../support/azure/azure_server.ts";
import { parseAzureConfig } from "../../support/azure/azure_host.ts";
import { reject } from "../../support/azure/groups.ts";
import { cli } from "../../support/cli.ts";

const REGISTRY = {
  image_prefix: "r.azurecr.io/grid",
  registry_server: "r.azurecr.io",
  registry_username: "puller",
  registry_password: "planted-registry-password",
};

/** Checks a pool, and returns the results as lines: `ok quota: ...`. */
async function check(
  azure: AzureServer,
  config: Readonly<Record<string, unknown>> = {},
): Promise<readonly string[]> {
  await using host = await azureContainerInstance.open(
    parseAzureConfig(azure, { ...REGISTRY, ...config }),
    { gridId: "g", workerId: "w", dataDir: "" },
  );
  const render = ({ status, name, detail }: CheckResult) =>
    `${status} ${name}: ${detail}`;
  return (await host.check()).map(render);
}

/** Asserts that exactly these lines fail. */
function assertFailures(
  lines: readonly string[],
  ...expected: readonly RegExp[]
): void {
  const failed = lines.filter((line) => line.startsWith("fail"));
  assert.equal(failed.length, expected.length, lines.join("\n"));
  for (const [at, pattern] of expected.entries()) {
    assert.match(failed[at] ?? "", pattern);
  }
  assert.doesNotMatch(lines.join("\n"), /planted/);
}

Deno.test("check() of a right configuration reports every part, for both units, and creates nothing", async () => {
  await using azure = await AzureServer.start();
  assert.deepEqual(await check(azure), [
    `ok identity: Azure at ${azure.url} accepts the identity`,
    "ok resource group: Resource group grid exists in westeurope",
    "ok role: The identity may create and delete container groups",
    "ok registration: Microsoft.ContainerInstance is registered in the subscription",
    "ok quota: The quota of westeurope has room: 3 of 100 ContainerGroups, 6 of 100 StandardCores in use",
    "ok image: Azure pulls image r.azurecr.io/grid/worker:latest with credentials",
    "ok unit: Each container group is a worker with 4 sessions, without an address of its own",
    "warn sandbox: Chromium's sandbox is off: the container group isolates its sessions from others, and nothing isolates the sessions of one worker",
  ]);
  const session = await check(azure, { unit: "session" });
  assertFailures(session);
  assert.match(session.join("\n"), /warn unit: .*300 creations an hour/);
  assert.match(
    session.join("\n"),
    /image r\.azurecr\.io\/grid\/chromium:latest/,
  );
  assert.match(session.join("\n"), /warn sandbox: .*may be off/);
  assert.ok(!azure.requests.some((line) => /^(PUT|DELETE)/.test(line)));
});

Deno.test("check() warns of a worker with less than 1 GB a session, as a pool of release 0.2.0 has", async () => {
  await using azure = await AzureServer.start();
  const find = async (config: Readonly<Record<string, unknown>>) =>
    (await check(azure, config)).find((line) => line.includes(" unit: "));
  assert.equal(
    await find({ cpu: 1, memory_gb: 2 }),
    "warn unit: Each container group is a worker with 4 sessions in 2 GB, where browsers run out of memory, expected memory_gb of at least 4, or unit session",
  );
  assert.match(await find({ capacity: 8, memory_gb: 8 }) ?? "", /^ok unit/);
});

Deno.test("check() reports a wrong secret, and asks nothing else of Azure", async () => {
  await using azure = await AzureServer.start();
  assertFailures(
    await check(azure, { client_secret: "planted-wrong-1" }),
    /^fail identity: Cannot sign in to Azure at .*401 invalid_client AADSTS7000215: Invalid client secret.*expected a valid client_secret/,
  );
  assert.equal(azure.requests.length, 1);
});

Deno.test("check() names what it does not check without a sign-in or without the resource group", async () => {
  await using azure = await AzureServer.start();
  const list = async (config: Readonly<Record<string, unknown>>) =>
    (await check(azure, config)).filter((line) => / not checked: /.test(line));
  assert.deepEqual(await list({}), []);
  assert.deepEqual(await list({ client_secret: "planted-wrong-1" }), [
    "warn not checked: resource group, role, registration and quota, which need a sign-in",
  ]);
  assert.deepEqual(await list({ resource_group: "gird" }), [
    "warn not checked: role, which needs the resource group",
  ]);
});

Deno.test("check() reports a missing resource group, with the command that creates it", async () => {
  await using azure = await AzureServer.start();
  assertFailures(
    await check(azure, { resource_group: "gird" }),
    /^fail resource group: Cannot find resource group "gird" in subscription .*404 ResourceGroupNotFound .*az group create --name gird --location westeurope/,
  );
});

Deno.test("check() reports a missing role, registration and quota, and credentials for another registry", async () => {
  await using azure = await AzureServer.start();
  azure.subscription.registrationState = "NotRegistered";
  azure.subscription.quotas = [
    { name: "ContainerGroups", currentValue: 3, limit: 100 },
    { name: "StandardCores", currentValue: 8, limit: 10 },
  ];
  azure.reject(
    /GET .*containerGroups$/,
    reject(403, "AuthorizationFailed", "no"),
  );
  assertFailures(
    await check(azure, { registry_server: "other.azurecr.io" }),
    /^fail role: Cannot list .*403 AuthorizationFailed no, expected a role .*"Azure Container Instances Contributor Role"/,
    /^fail registration: Microsoft.ContainerInstance is NotRegistered .*az provider register/,
    /^fail quota: The quota of westeurope is used up: .*8 of 10 StandardCores/,
    /^fail image: Cannot pull image .*its registry is r.azurecr.io and the credentials are for other.azurecr.io/,
  );
});

Deno.test("check() reports the actions that the role of the identity lacks", async () => {
  await using azure = await AzureServer.start();
  azure.subscription.permissions = {
    actions: ["*"],
    notActions: ["microsoft.containerinstance/containergroups/*e"],
  };
  assertFailures(
    await check(azure),
    /^fail role: .*the identity lacks Microsoft.ContainerInstance\/containerGroups\/write, Microsoft.ContainerInstance\/containerGroups\/delete, expected a role/,
  );
  azure.subscription.permissions = { actions: ["*/read"], notActions: [] };
  const [failure = ""] = (await check(azure)).filter((line) =>
    line.startsWith("fail")
  );
  assert.match(failure, /containerGroups\/write/);
  assert.doesNotMatch(failure, /logs/);
});

Deno.test("check() warns of what an identity with few rights cannot read, and of images without credentials", async () => {
  await using azure = await AzureServer.start();
  const denied = reject(403, "AuthorizationFailed", "no");
  azure.reject(/usages$/, denied);
  azure.reject(/providers\/Microsoft.ContainerInstance$/, denied);
  azure.reject(/resourceGroups\/grid$/, denied);
  azure.reject(/permissions$/, denied);
  const lines = await check(azure, { registry_server: undefined });
  assertFailures(lines);
  const warnings = lines.filter((line) => line.startsWith("warn")).map((line) =>
    line.split(":")[0]
  );
  assert.deepEqual(warnings, [
    "warn resource group",
    "warn role",
    "warn registration",
    "warn quota",
    "warn image",
    "warn sandbox",
  ]);
});

Deno.test("browsergrid check with the configuration of a pool prints what is missing", async () => {
  await using azure = await AzureServer.start();
  const at = async (config: Readonly<Record<string, unknown>>) => {
    const { out } = await cli(
      ...["check", "--provider", "azure_container_instance", "--json"],
      ...["--provider-config", JSON.stringify({ ...azure.config, ...config })],
    );
    return out;
  };
  assert.match(
    await at({}),
    /Azure at http:\/\/127.0.0.1:\d+ accepts the identity/,
  );
  assert.match(await at({ resource_group: "x" }), /az group create --name x/);
  assert.match(await at({ client_secret: "planted" }), /AADSTS7000215/);
  assert.match(
    await at({ unit: "session", subnet_id: undefined }),
    /subnet_id.*expected the id of a subnet, because unit session/,
  );
});
