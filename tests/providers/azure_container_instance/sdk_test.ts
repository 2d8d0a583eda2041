/**
 * The contract server as Azure's own client library sees it: requests that the library makes of its published models
 * are accepted, and what it reads of the responses is what was requested.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  type ContainerGroup,
  ContainerInstanceManagementClient,
} from "@azure/arm-containerinstance";
import { selectCredential } from "../../../src/providers/azure_container_instance/arm/credential.ts";
import { GROUPS_VERSION } from "../../../src/providers/azure_container_instance/arm/container_groups.ts";
import { createSessionBody } from "../../../src/providers/azure_container_instance/session/plan.ts";
import { AzureServer } from "../../support/azure/azure_server.ts";
import { parseAzureConfig } from "../../support/azure/azure_host.ts";
import {
  LOCATION,
  RESOURCE_GROUP,
  SUBSCRIPTION,
} from "../../support/azure/routes.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { dockerTest } from "../../support/docker.ts";

dockerTest(
  "Azure's own client library starts, reads, lists and deletes groups of the contract server",
  async () => {
    await using azure = await AzureServer.start();
    const config = parseAzureConfig(azure, { unit: "session" });
    const { request } = selectCredential(config, () => undefined);
    const { value: token } = await request();
    const client = new ContainerInstanceManagementClient(
      { getToken: () => Promise.resolve(null) },
      SUBSCRIPTION,
      {
        endpoint: azure.url,
        apiVersion: GROUPS_VERSION,
        allowInsecureConnection: true,
      },
    );
    // The library sends no token without TLS.
    client.pipeline.removePolicy({ name: "bearerTokenAuthenticationPolicy" });
    client.pipeline.addPolicy({
      name: "token",
      sendRequest(request, next) {
        request.headers.set("authorization", `Bearer ${token}`);
        return next(request);
      },
    });
    // The library's models have the members of "properties" at their top level.
    const { properties, ...rest } = createSessionBody(browserSpec(), config, {
      gridId: "grid-1",
      workerId: "worker-1",
      dataDir: "",
    }, "s");
    const { containers: [{ name, properties: container }] } = properties;
    const asked: ContainerGroup = {
      location: rest.location,
      tags: { ...rest.tags },
      osType: properties.osType,
      sku: properties.sku,
      restartPolicy: properties.restartPolicy,
      ipAddress: { type: "Private", ports: [{ port: 9222, protocol: "TCP" }] },
      subnetIds: properties.subnetIds?.map(({ id }) => ({ id })) ?? [],
      containers: [{
        name,
        image: container.image,
        command: [...container.command],
        ports: [{ port: 9222, protocol: "TCP" }],
        environmentVariables: container.environmentVariables.map((each) => ({
          ...each,
        })),
        resources: { requests: { ...container.resources.requests } },
      }],
    };
    const groups = client.containerGroups;
    const created = await groups.beginCreateOrUpdateAndWait(
      RESOURCE_GROUP,
      "by-library",
      asked,
      { updateIntervalInMs: 20 },
    );
    assert.equal(created.provisioningState, "Succeeded");
    const found = await groups.get(RESOURCE_GROUP, "by-library");
    assert.equal(found.instanceView?.state, "Running");
    assert.match(found.ipAddress?.ip ?? "", /^\d+\.\d+\.\d+\.\d+$/);
    const [main] = found.containers;
    assert.equal(main?.instanceView?.currentState?.state, "Running");
    assert.ok(main?.instanceView?.currentState?.startTime instanceof Date);
    assert.deepEqual(main?.command, asked.containers[0]?.command);
    assert.deepEqual(main?.environmentVariables, [{
      name: "BROWSERGRID_SANDBOX",
    }]);
    const { request: received } = azure.groups.get("by-library");
    assert.deepEqual(
      received,
      JSON.parse(JSON.stringify({ ...rest, properties })),
    );
    const names: (string | undefined)[] = [];
    for await (const each of groups.listByResourceGroup(RESOURCE_GROUP)) {
      names.push(each.name);
      assert.equal(each.instanceView, undefined);
    }
    assert.deepEqual(names, ["by-library"]);
    const { content } = await client.containers.listLogs(
      RESOURCE_GROUP,
      "by-library",
      name,
      { tail: 5 },
    );
    assert.equal(typeof content, "string");
    const usages: unknown[] = [];
    for await (const { name, limit } of client.location.listUsage(LOCATION)) {
      usages.push([name?.value, limit]);
    }
    assert.deepEqual(usages, [["ContainerGroups", 100], [
      "StandardCores",
      100,
    ]]);
    await groups.beginDeleteAndWait(RESOURCE_GROUP, "by-library", {
      updateIntervalInMs: 20,
    });
    assert.deepEqual(await azure.listResources(), []);
    await assert.rejects(groups.get(RESOURCE_GROUP, "by-library"), {
      statusCode: 404,
      code: "ResourceNotFound",
    });
  },
);
