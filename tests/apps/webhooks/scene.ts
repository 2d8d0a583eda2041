import assert from "node:assert/strict";
import { type Answer, type Api, createApiClient } from "../../support/api.ts";
import { eventually } from "../../support/eventually.ts";
import { type TestGrid, testGrid } from "../../support/grid.ts";
import { RECEIVER_SETTINGS } from "../../support/webhook_receiver.ts";

/** Starts a grid that may send to loopback. */
export async function sendingGrid(): Promise<
  { readonly grid: TestGrid; readonly api: Api }
> {
  const grid = await testGrid({ listen: true, settings: RECEIVER_SETTINGS });
  return { grid, api: createApiClient(grid) };
}

/** Creates a webhook for events of sessions; returns it with its path. */
export async function createWebhook(
  api: Api,
  url: string,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<Answer["body"]> {
  const { status, body, text } = await api.call("POST", "/webhooks", {
    name: "a",
    url,
    event_pattern: "session.*",
    ...fields,
  });
  assert.equal(status, 201, text);
  return { ...body, path: `/webhooks/${body.id}` };
}

/** Waits until the newest delivery of a webhook meets a condition. */
export async function waitForDelivery(
  api: Api,
  path: string,
  meets: (delivery: Answer["body"]) => boolean,
): Promise<Answer["body"]> {
  return await eventually("the newest delivery is as it must be", async () => {
    const { body } = await api.call("GET", `${path}/deliveries`);
    const [delivery] = body.items;
    assert.ok(delivery && meets(delivery), JSON.stringify(delivery));
    return delivery;
  });
}
