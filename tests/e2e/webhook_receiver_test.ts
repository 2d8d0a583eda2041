/** Runs the receiver of the documentation against a real grid. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createApiClient } from "../support/api.ts";
import { ROOT } from "../support/doc_snippets.ts";
import { freePort } from "../support/free_port.ts";
import { testGrid } from "../support/grid.ts";
import { eventually } from "../support/eventually.ts";
import { RECEIVER_SETTINGS } from "../support/webhook_receiver.ts";
import { snippet } from "./docs_scene.ts";

Deno.test("the documentation's receiver accepts the requests of a webhook, and no others", async () => {
  await using grid = await testGrid({
    listen: true,
    settings: RECEIVER_SETTINGS,
  });
  const api = createApiClient(grid);
  await api.pool();
  const port = freePort();
  const url = `http://127.0.0.1:${port}/`;
  const { body: { secret, id } } = await api.call("POST", "/webhooks", {
    name: "documentation",
    url,
    event_pattern: "session.created",
  });
  await using receiver = await startExample(secret, port);
  const refused = await eventually("the receiver listens", async () => {
    const response = await fetch(url, {
      method: "POST",
      body: "{}",
      headers: { "webhook-id": "x", "webhook-timestamp": "1" },
    });
    await response.body?.cancel();
    return response.status;
  });
  assert.equal(refused, 400);
  const session = await api.session();
  assert.equal(await receiver.line(), `session.created ${session.id}`);
  await eventually("it is delivered", async () => {
    const { body } = await api.call("GET", `/webhooks/${id}/deliveries`);
    return body.items[0]?.status === "delivered";
  });
});

/** Starts the example in a process of its own, beside the packages of the project. */
async function startExample(secret: string, port: number) {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-docs-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const file = join(folder, "receiver.mjs");
  await Deno.writeTextFile(file, snippet("receiver"));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", "-c", join(ROOT, "deno.json"), file],
    env: { WEBHOOK_SECRET: secret, PORT: String(port) },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream());
  stack.defer(async () => {
    child.kill("SIGKILL");
    await child.status;
    await lines.cancel();
  });
  const owned = stack.move();
  return {
    async line() {
      for await (const text of lines.values({ preventCancel: true })) {
        return text.trim();
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
