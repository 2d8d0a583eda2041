import assert from "node:assert/strict";
import { azureContainerInstance } from "../../../src/providers/azure_container_instance/provider.ts";
import { browserSpec } from "../../support/browser_spec.ts";

const CONFIG = azureContainerInstance.configSchema.parse({
  resource_group: "grid",
  subscription_id: "sub-1",
});

Deno.test("azure_container_instance offers no browser and rejects open()", async () => {
  assert.deepEqual(azureContainerInstance.browsers(CONFIG), []);
  await assert.rejects(
    azureContainerInstance.open(CONFIG, {
      gridId: "grid-1",
      workerId: "worker-1",
      dataDir: "",
    }),
    /^Error: Cannot start browsers in Azure: .*expected a pool of provider local or docker$/,
  );
});

Deno.test("azure_container_instance renders an az command without the values of variables", () => {
  const environment = { TOKEN: "planted" };
  const command = azureContainerInstance.deployCommand(
    browserSpec({ environment, cpu: 2 }),
    CONFIG,
  );
  assert.match(command, /^az container create .*--cpu 2 --memory 2 /);
  assert.match(command, /--secure-environment-variables TOKEN=…$/);
  assert.ok(!command.includes("planted"));
});
