import { type Command, defineCommand } from "../command.ts";

/** `browsergrid webhook`. */
export const webhookCommand: Command = defineCommand({
  name: "webhook",
  description: "Send events to URLs, and inspect the deliveries",
  examples: [
    "webhook create alerts --url https://hooks.example/x --event-pattern 'session.*'",
    "webhook test WEBHOOK",
    "webhook deliveries WEBHOOK --status failed",
    "webhook update WEBHOOK --active true",
  ],
  async commands() {
    const { webhookCommands } = await import("./webhook.ts");
    return webhookCommands;
  },
});
