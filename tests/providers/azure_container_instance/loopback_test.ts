import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { AzureServer } from "../../support/azure/azure_server.ts";

const SCRIPT = fileURLToPath(
  new URL("./loopback_script.ts", import.meta.url),
);

Deno.test("the provider contacts the configured URLs only: a process that may reach nothing else does all of its work", async () => {
  await using azure = await AzureServer.start();
  azure.groups.provisioning = new Promise(() => {});
  const { host } = new URL(azure.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--no-check"],
      ...["--allow-read", "--allow-env", "--allow-sys"],
      `--allow-net=${host}`,
      SCRIPT,
      JSON.stringify(azure.config),
    ],
    env: {
      NO_COLOR: "1",
      IDENTITY_ENDPOINT: "",
      // The operator names the hosts that may receive credentials of this one.
      AZURE_AUTHORITY_HOST: azure.url,
      AZURE_RESOURCE_MANAGER_ENDPOINT: azure.url,
      AZURE_POD_IDENTITY_AUTHORITY_HOST: azure.url,
    },
  });
  const { success, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  assert.ok(success, text.decode(stderr));
  assert.deepEqual(JSON.parse(text.decode(stdout)), {
    client_secret: "ok",
    managed_identity: "ok",
  });
  assert.deepEqual(
    new Set(azure.tokens.issued),
    new Set(["client_secret", "imds"]),
  );
  assert.ok(azure.requests.some((line) => line.startsWith("PUT")));
});
