import assert from "node:assert/strict";
import { azureContainerInstance } from "../../../src/providers/azure_container_instance/provider.ts";
import { createApiClient } from "../../support/api.ts";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";

Deno.test("a pool that cannot start browsers is created with a warning, and a pool with workers is deleted only with --force", async () => {
  const empty = { ...azureContainerInstance, browsers: () => [] };
  await using grid = await testGrid({ listen: true, providers: [empty] });
  const at = ["--api-url", grid.url];
  const azure = await cli(
    ...["pool", "create", "azure_container_instance", "--name", "cloud"],
    ...[
      "--resource-group",
      "g",
      "--subscription-id",
      "00000000-0000-4000-8000-00000000000a",
      ...at,
    ],
  );
  assert.equal(azure.code, 0, azure.err);
  assert.match(azure.err, /^Warning: No session can be started .*"cloud"/m);
  await cli("pool", "create", "local", "--name", "here", ...at);
  await createApiClient(grid).worker({ work_pool_id: "here" });
  const refused = await cli("pool", "delete", "here", ...at);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /force/);
  const gone = await cli("pool", "delete", "here", "--force", ...at);
  assert.equal(gone.code, 0, gone.err);
});
