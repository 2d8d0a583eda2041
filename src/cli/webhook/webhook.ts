import { z } from "zod";
import { each, type WebhookWire } from "../../client/client.ts";
import { type Command, defineCommand } from "../command.ts";
import { connectClient } from "../config.ts";
import { UsageError } from "../exit.ts";
import { word } from "../options/argument_types.ts";
import { clientOptions } from "../options/shared_options.ts";
import { printRecord } from "../print_record.ts";
import { rotateCommand, webhookCreateCommand } from "./create.ts";
import { deliveriesCommand, retryCommand, testCommand } from "./deliveries.ts";

const listCommand = defineCommand({
  name: "list",
  description: "List the webhooks, newest first",
  options: () => z.object(clientOptions()),
  examples: ["webhook list", "webhook list --json"],
  async run(options, { output }) {
    const client = await connectClient(options, output);
    const items = await Array.fromAsync(
      each(client.listWebhooks, { limit: 500 }),
    );
    if (options.json) return output.json(items);
    await output.table(
      ["id", "name", "status", "failures", "events", "url"],
      items.map((webhook) => [
        webhook.id,
        webhook.name,
        renderStatus(webhook),
        String(webhook.failures),
        webhook.event_pattern,
        webhook.url,
      ]),
      ["url", "failures"],
    );
  },
});

/** Returns why a webhook is not active. */
function renderStatus({ active, inactive_reason }: WebhookWire): string {
  return active ? "active" : inactive_reason ?? "inactive";
}

const getCommand = defineCommand({
  name: "get",
  description: "Show a webhook, without its secret",
  arguments: { webhook: word("id") },
  options: () => z.object(clientOptions()),
  examples: ["webhook get WEBHOOK"],
  async run({ webhook, ...options }, { output }) {
    const client = await connectClient(options, output);
    await printRecord(await client.getWebhook(webhook), options, output);
  },
});

const updateCommand = defineCommand({
  name: "update",
  description: "Change a webhook",
  arguments: { webhook: word("id") },
  async options() {
    const { declareChangeOptions } = await import("./field_options.ts");
    return z.object({ ...clientOptions(), fields: declareChangeOptions() });
  },
  examples: [
    "webhook update WEBHOOK --active true",
    "webhook update WEBHOOK --event-pattern session.failed --max-attempts 3",
  ],
  notes:
    `Labels, headers and filters replace those that it has. With --active true, a
webhook that was paused continues with the deliveries that wait.`,
  async run({ webhook, fields, ...options }, { output }) {
    const { toWebhookFields } = await import("./field_options.ts");
    const changes = toWebhookFields(fields);
    if (Object.keys(changes).length === 0) {
      throw new UsageError(
        "Cannot change the webhook: there is no change, expected an option such as --active true",
      );
    }
    const client = await connectClient(options, output);
    const changed = await client.patchWebhook(webhook, changes);
    await printRecord(changed, options, output);
  },
});

const deleteCommand = defineCommand({
  name: "delete",
  description: "Delete a webhook and its deliveries",
  arguments: { webhook: word("id") },
  options: () => z.object(clientOptions()),
  examples: ["webhook delete WEBHOOK"],
  async run({ webhook, ...options }, { output }) {
    const client = await connectClient(options, output);
    await client.deleteWebhook(webhook);
    if (options.json) output.json({ deleted: webhook });
    else output.print(`Deleted webhook ${webhook}`);
  },
});

/** Commands below `browsergrid webhook`. */
export const webhookCommands: readonly Command[] = [
  webhookCreateCommand,
  listCommand,
  getCommand,
  updateCommand,
  deleteCommand,
  testCommand,
  deliveriesCommand,
  retryCommand,
  rotateCommand,
];
