import { z } from "zod";
import type { NewWebhookWire } from "../../client/client.ts";
import { type Command, defineCommand } from "../command.ts";
import { type CommonOptions, connectClient } from "../config.ts";
import { UsageError } from "../exit.ts";
import { word } from "../options/argument_types.ts";
import { clientOptions } from "../options/shared_options.ts";
import type { Output } from "../output.ts";
import { renderSeconds } from "../print_record.ts";

/** `browsergrid webhook create`. */
export const webhookCreateCommand: Command = defineCommand({
  name: "create",
  description: "Create a webhook; its secret is shown only once",
  arguments: { name: word("purpose of the webhook") },
  async options() {
    const { declareCreateOptions } = await import("./field_options.ts");
    return z.object({ ...clientOptions(), fields: declareCreateOptions() });
  },
  examples: [
    "webhook create alerts --url https://hooks.example/x --event-pattern 'session.*'",
    "webhook create team --url https://hooks.example/x --event-pattern session.failed --label team=search",
    "webhook create errors --url https://hooks.example/x --template failing_responses",
  ],
  async run({ name, fields, ...options }, { output }) {
    const { toWebhookFields } = await import("./field_options.ts");
    const { url, ...others } = toWebhookFields(fields);
    if (url === undefined) {
      throw new UsageError(
        "Cannot create the webhook: it has no URL, expected --url URL",
      );
    }
    const client = await connectClient(options, output);
    const webhook = await client.createWebhook({ ...others, name, url });
    printWithSecret(webhook, options, output);
  },
});

/** `browsergrid webhook rotate-secret`. */
export const rotateCommand: Command = defineCommand({
  name: "rotate-secret",
  description: "Replace the secret of a webhook; it is shown only once",
  arguments: { webhook: word("id") },
  options: () =>
    z.object({
      ...clientOptions(),
      overlap: z.string().regex(/^\d{1,9}$/, "expected a number of seconds")
        .transform(Number).optional().meta({
          flags: "--overlap <seconds>",
          description: "time for which both secrets sign (86400)",
        }),
    }),
  examples: [
    "webhook rotate-secret WEBHOOK",
    "webhook rotate-secret WEBHOOK --overlap 0",
  ],
  async run({ webhook: id, overlap, ...options }, { output }) {
    const client = await connectClient(options, output);
    const body = overlap === undefined ? {} : { overlap_seconds: overlap };
    const webhook = await client.rotateWebhookSecret(id, body);
    printWithSecret(webhook, options, output);
  },
});

/** Prints the facts that the next step needs, which no other response contains. */
function printWithSecret(
  webhook: NewWebhookWire,
  { json }: CommonOptions,
  output: Output,
): void {
  if (json) return output.json(webhook);
  const { previous_secret_until: until } = webhook;
  output.print(
    [
      `Webhook  ${webhook.id}`,
      `Events   ${webhook.event_pattern}`,
      `URL      ${webhook.url}`,
      `Secret   ${webhook.secret}`,
    ].join("\n"),
  );
  output.progress(
    `The secret is not shown again: save it now${
      until === null
        ? ""
        : `. The previous one signs until ${renderSeconds(until)}`
    }`,
  );
}
