/**
 * `browsergrid webhook test`, `deliveries` and `retry`.
 *
 * @module
 */
import { z } from "zod";
import { DELIVERY_STATUSES } from "../../apps/webhooks/status.ts";
import { systemClock } from "../../async/clock.ts";
import {
  type DeliveryWire,
  each,
  type GridClient,
} from "../../client/client.ts";
import { type Command, defineCommand } from "../command.ts";
import { connectClient } from "../config.ts";
import { EXIT, UsageError } from "../exit.ts";
import { word } from "../options/argument_types.ts";
import { wholeNumber } from "../options/option_types.ts";
import { clientOptions } from "../options/shared_options.ts";
import { renderSeconds } from "../print_record.ts";

/** Longest time of a test: its only attempt takes up to 30 s. */
const TEST_MS = 40_000;

/** Pause between two requests for a delivery that is awaited. */
const POLL_INTERVAL_MS = 200;

/** Maximum number of deliveries on a page. */
const PAGE = 500;

/** `browsergrid webhook test`. */
export const testCommand: Command = defineCommand({
  name: "test",
  description: "Send a test to a webhook, and show its result",
  arguments: { webhook: word("id") },
  options: () => z.object(clientOptions()),
  examples: ["webhook test WEBHOOK"],
  notes: "A test that fails ends the command with code 1.",
  async run({ webhook, ...options }, { output }) {
    const client = await connectClient(options, output);
    const { id } = await client.testWebhook(webhook);
    const delivery = await waitForEnd(client, webhook, id);
    if (options.json) output.json(delivery);
    else output.print(`Test ${id} is ${renderResult(delivery)}`);
    return delivery.status === "delivered" ? EXIT.done : EXIT.failed;
  },
});

/** Returns a delivery when it has ended, or after some time as it is. */
async function waitForEnd(
  client: GridClient,
  webhook: string,
  id: number,
): Promise<DeliveryWire> {
  const deadline = systemClock.monotonic() + TEST_MS;
  for (;;) {
    const delivery = await client.getWebhookDelivery(webhook, id);
    const isLate = systemClock.monotonic() > deadline;
    if (delivery.status !== "pending" || isLate) return delivery;
    await systemClock.sleep(POLL_INTERVAL_MS);
  }
}

/** `browsergrid webhook deliveries`. */
export const deliveriesCommand: Command = defineCommand({
  name: "deliveries",
  description: "List the deliveries of a webhook, newest first",
  arguments: { webhook: word("id") },
  options: () =>
    z.object({
      ...clientOptions(),
      status: z.enum(DELIVERY_STATUSES).optional().meta({
        flags: "--status <status>",
        description: "only those of this status",
      }),
      limit: wholeNumber().prefault(50).meta({
        flags: "--limit <number>",
        description: "at most",
      }),
    }),
  examples: [
    "webhook deliveries WEBHOOK --status failed",
    "webhook deliveries WEBHOOK --limit 1 --json",
  ],
  notes: "--json also contains the start of the receiver's last response.",
  async run({ webhook, status, limit, ...options }, { output }) {
    const client = await connectClient(options, output);
    const items: DeliveryWire[] = [];
    const list = each(
      (query) => client.listWebhookDeliveries(webhook, { ...query, status }),
      { limit: Math.min(limit, PAGE) },
    );
    for await (const delivery of list) {
      items.push(delivery);
      if (items.length === limit) break;
    }
    if (options.json) return output.json(items);
    await output.table(
      ["id", "time", "type", "status", "attempts", "last attempt"],
      items.map((delivery) => [
        String(delivery.id),
        renderSeconds(delivery.timestamp),
        delivery.type,
        delivery.status,
        String(delivery.attempts),
        renderAttempt(delivery),
      ]),
      ["attempts"],
    );
  },
});

/** `browsergrid webhook retry`. */
export const retryCommand: Command = defineCommand({
  name: "retry",
  description: "Send a delivery now, also one that has ended",
  arguments: { webhook: word("id"), delivery: word("number") },
  options: () => z.object(clientOptions()),
  examples: ["webhook retry WEBHOOK 42"],
  async run({ webhook, delivery, ...options }, { output }) {
    if (!/^\d{1,15}$/.test(delivery)) {
      throw new UsageError(
        `Cannot use the delivery "${delivery}": expected a number that "webhook deliveries" shows`,
      );
    }
    const client = await connectClient(options, output);
    const retried = await client.retryWebhookDelivery(
      webhook,
      Number(delivery),
    );
    if (options.json) output.json(retried);
    else output.print(`Delivery ${retried.id} is ${retried.status}`);
  },
});

function renderResult(delivery: DeliveryWire): string {
  const attempt = renderAttempt(delivery);
  return attempt === "" ? delivery.status : `${delivery.status}: ${attempt}`;
}

/** Returns the result of the last attempt: its status or error, and its duration. */
function renderAttempt(
  { status_code, error, duration_ms }: DeliveryWire,
): string {
  const result = error ?? (status_code === null ? "" : `HTTP ${status_code}`);
  return result === "" || duration_ms === null
    ? result
    : `${result} (${duration_ms} ms)`;
}
