/**
 * The sign-ins to Azure, at a contract server that checks what it receives.
 *
 * @module
 */
import assert from "node:assert/strict";
import { selectCredential } from "../../../src/providers/azure_container_instance/arm/credential.ts";
import type { AzureConfig } from "../../../src/providers/azure_container_instance/config.ts";
import { azureContainerInstance } from "../../../src/providers/azure_container_instance/provider.ts";
import { TokenSource } from "../../../src/providers/azure_container_instance/arm/token_source.ts";
import { parseAzureConfig } from "../../support/azure/azure_host.ts";
import { AzureServer } from "../../support/azure/azure_server.ts";
import { CREDENTIALS } from "../../support/azure/tokens.ts";
import { freePort } from "../../support/free_port.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

const NEVER = new AbortController().signal;

const NONE = {
  client_secret: undefined,
  client_id: undefined,
  tenant_id: undefined,
};

/** Variables with which the operator of this host trusts a contract server. */
function trustVariables(
  { url }: AzureServer,
): Readonly<Record<string, string>> {
  return {
    AZURE_AUTHORITY_HOST: `${url}/`,
    AZURE_RESOURCE_MANAGER_ENDPOINT: url,
    AZURE_POD_IDENTITY_AUTHORITY_HOST: url,
  };
}

Deno.test("auto signs in with a client secret, then a federated token, then the managed identity, by the variables of Azure", async () => {
  await using azure = await AzureServer.start();
  await using folder = await temporaryFolder();
  const file = `${folder.path}/token`;
  await Deno.writeTextFile(file, `${CREDENTIALS.federated_token}\n`);
  const trusted = trustVariables(azure);
  const application = {
    ...trusted,
    AZURE_TENANT_ID: CREDENTIALS.tenant_id,
    AZURE_CLIENT_ID: CREDENTIALS.client_id,
  };
  const environments: readonly Readonly<Record<string, string>>[] = [
    {
      ...application,
      AZURE_CLIENT_SECRET: CREDENTIALS.client_secret,
      AZURE_FEDERATED_TOKEN_FILE: file,
    },
    { ...application, AZURE_FEDERATED_TOKEN_FILE: file },
    {
      ...trusted,
      IDENTITY_ENDPOINT: `${azure.url}/identity/token`,
      IDENTITY_HEADER: CREDENTIALS.identity_header,
    },
    trusted,
  ];
  for (const environment of environments) {
    const credential = selectCredential(
      parseAzureConfig(azure, NONE),
      (name) => environment[name],
    );
    const { value, lifetimeMs } = await credential.request();
    assert.match(value, /^planted-token-/);
    assert.ok(lifetimeMs > 3_590_000 && lifetimeMs <= 3_600_000);
  }
  assert.deepEqual(azure.tokens.issued, [
    "client_secret",
    "assertion",
    "endpoint",
    "imds",
  ]);
});

Deno.test("the configuration of the pool wins over the variables", async () => {
  await using azure = await AzureServer.start();
  const wrong = (name: string) =>
    name.startsWith("AZURE_") ? "wrong" : undefined;
  await selectCredential(parseAzureConfig(azure), wrong).request();
  assert.deepEqual(azure.tokens.issued, ["client_secret"]);
});

Deno.test("a sign-in that lacks a part names it, and where it is expected", async () => {
  await using azure = await AzureServer.start();
  const config = parseAzureConfig(azure, { ...NONE, auth: "client_secret" });
  assert.throws(
    () => selectCredential(config, () => undefined),
    /Cannot sign in to Azure with auth "client_secret": tenant_id and client_id and client_secret missing, expected tenant_id, .*AZURE_CLIENT_SECRET in the environment/,
  );
  const workload = parseAzureConfig(azure, { auth: "workload_identity" });
  const trusted = trustVariables(azure);
  assert.throws(
    () => selectCredential(workload, (name) => trusted[name]),
    /AZURE_FEDERATED_TOKEN_FILE missing, expected tenant_id, client_id in the pool's configuration or AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE in the environment$/,
  );
  for (
    const [file, problem] of [
      ["/nowhere/token", "No such file"],
      ["/dev/zero", "it is no regular file"],
    ]
  ) {
    const { request } = selectCredential(
      workload,
      (name) => name === "AZURE_FEDERATED_TOKEN_FILE" ? file : trusted[name],
    );
    await assert.rejects(
      request(),
      new RegExp(
        `Cannot read the federated token "${file}": ${problem}.*expected the file that the cluster mounts`,
      ),
    );
  }
});

Deno.test("auto without credentials says that it asked the identity of this host, and what to set outside of Azure", async () => {
  await using azure = await AzureServer.start();
  const url = `http://127.0.0.1:${freePort()}`;
  const trusted = {
    ...trustVariables(azure),
    AZURE_POD_IDENTITY_AUTHORITY_HOST: url,
  };
  const request = (auth: AzureConfig["auth"]) =>
    selectCredential(
      parseAzureConfig(azure, { ...NONE, auth, metadata_url: url }),
      (name) => new Map(Object.entries(trusted)).get(name),
    ).request();
  await assert.rejects(
    request("auto"),
    new RegExp(
      `^Error: Cannot sign in to Azure with auth "auto": no client secret or federated token is configured, and the managed identity of this host at ${url} does not answer \\(.+\\), expected tenant_id, client_id and client_secret outside of Azure$`,
    ),
  );
  await assert.rejects(
    request("managed_identity"),
    new RegExp(`^Error: Cannot sign in to Azure at "${url}": `),
  );
});

Deno.test("credentials of the environment and the identity of the host reach only published hosts and those that its operator names", async () => {
  await using azure = await AzureServer.start();
  const environment: Readonly<Record<string, string>> = {
    AZURE_TENANT_ID: CREDENTIALS.tenant_id,
    AZURE_CLIENT_ID: CREDENTIALS.client_id,
    AZURE_CLIENT_SECRET: CREDENTIALS.client_secret,
    AZURE_FEDERATED_TOKEN_FILE: "/proc/self/environ",
  };
  const select = (
    auth: AzureConfig["auth"],
    urls: Readonly<Record<string, string>>,
    more: Readonly<Record<string, string>> = {},
  ) =>
    selectCredential(
      parseAzureConfig(azure, { ...NONE, ...urls, auth }),
      (name) => ({ ...environment, ...more })[name],
    );
  const published = {
    login_url: "https://login.microsoftonline.us/",
    management_url: "https://management.usgovcloudapi.net",
    metadata_url: "http://169.254.169.254",
  };
  const foreign = [
    "https://login.microsoftonline.com.attacker.example",
    "https://login.microsoftonline.com:8443",
    azure.url,
  ];
  const receivers = {
    client_secret: ["login_url", "management_url"],
    workload_identity: ["login_url", "management_url"],
    managed_identity: ["management_url", "metadata_url"],
  } as const;
  for (const auth of ["client_secret", "workload_identity"] as const) {
    select(auth, {}, trustVariables(azure));
  }
  for (const [auth, options] of Object.entries(receivers)) {
    const kind = azureContainerInstance.configSchema.shape.auth.parse(auth);
    assert.equal(select(kind, published).kind, auth);
    for (const option of options) {
      for (const url of option === "metadata_url" ? [azure.url] : foreign) {
        assert.throws(
          () => select(kind, { ...published, [option]: url }),
          new RegExp(
            `^Error: Cannot sign in to Azure with credentials of this host for ${option} "${url}": it is no published host of Azure, expected http`,
          ),
        );
      }
    }
  }
  assert.deepEqual(azure.tokens.issued, []);
  assert.throws(
    () => parseAzureConfig(azure, { federated_token_file: "/etc/passwd" }),
    /federated_token_file/,
  );
});

Deno.test("a rejected sign-in contains Azure's reason and no secret, even if the response repeats it", async () => {
  await using azure = await AzureServer.start();
  const secret = "planted-wrong-secret-9";
  const config = parseAzureConfig(azure, { client_secret: secret });
  const { request } = selectCredential(config, () => undefined);
  await assert.rejects(request(), (error: Error) => {
    assert.match(
      error.message,
      /^Cannot sign in to Azure at "http:\/\/127.0.0.1:\d+": it responds with 401 invalid_client AADSTS7000215/,
    );
    assert.doesNotMatch(`${error.message} ${error.cause}`, /planted/);
    return true;
  });
  await azure.cut();
  await assert.rejects(
    request(),
    /Cannot sign in to Azure at .*does not answer: ./,
  );
});

Deno.test("a token is cached until shortly before its end, shared by concurrent callers, and replaced", async () => {
  let now = 0;
  let count = 0;
  let fails = false;
  const tokens = new TokenSource(() => {
    if (fails) return Promise.reject(new Error("down"));
    count++;
    return Promise.resolve({ value: `token-${count}`, lifetimeMs: 3_600_000 });
  }, { monotonic: () => now });
  const values = await Promise.all([tokens.get(NEVER), tokens.get(NEVER)]);
  assert.deepEqual(values, ["token-1", "token-1"]);
  now = 3_299_000;
  assert.equal(await tokens.get(NEVER), "token-1");
  now = 3_301_000;
  fails = true;
  // The sign-in is down, and the token still valid.
  assert.equal(await tokens.get(NEVER), "token-1");
  fails = false;
  assert.equal(await tokens.get(NEVER), "token-2");
  tokens.evict("token-1");
  assert.equal(await tokens.get(NEVER), "token-2");
  tokens.evict("token-2");
  assert.equal(await tokens.get(NEVER), "token-3");
  fails = true;
  now = 99_000_000;
  await assert.rejects(tokens.get(NEVER), /down/);
  await assert.rejects(tokens.get(AbortSignal.abort(new Error("no"))), /no/);
});
