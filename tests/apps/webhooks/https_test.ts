import assert from "node:assert/strict";
import { createClient } from "../../../src/client/client.ts";
import { eventually } from "../../support/eventually.ts";
import { startProgram } from "../../support/program.ts";
import { startTlsFront } from "../../support/tls_front.ts";
import { startReceiver } from "../../support/webhook_receiver.ts";

/** Sends a test to an https receiver with the variables; returns the delivery. */
async function sendTest(url: string, env: Readonly<Record<string, string>>) {
  const dataDir = await Deno.makeTempDir();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(dataDir, { recursive: true }));
  const server = stack.use(
    startProgram(["serve", "--port", "0", "--data-dir", dataDir], {
      BROWSERGRID_WEBHOOK_ALLOWED_NETWORKS: "127.0.0.1,::1",
      ...env,
    }),
  );
  const [, apiUrl = ""] = await server.until(/API +(\S+)\/v1/);
  const client = createClient({ apiUrl });
  const { id } = await client.createWebhook({
    name: "hook",
    url,
    event_pattern: "session.*",
  });
  await client.testWebhook(id);
  return await eventually("the test was sent", async () => {
    const { items: [delivery] } = await client.listWebhookDeliveries(id);
    return delivery?.status !== "pending" && delivery;
  });
}

Deno.test("an https receiver gets deliveries if its certificate is trusted, and none otherwise", async () => {
  await using receiver = await startReceiver();
  await using front = await startTlsFront(receiver.url);
  const trusted = await sendTest(front.url, {
    NODE_EXTRA_CA_CERTS: front.certificate,
  });
  assert.equal(trusted.error, null);
  assert.deepEqual([trusted.status, trusted.status_code], ["delivered", 204]);
  assert.equal(receiver.received.length, 1);
  const untrusted = await sendTest(front.url, {});
  assert.deepEqual([untrusted.status, untrusted.status_code], ["failed", null]);
  assert.match(untrusted.error ?? "", /certificate/i);
  const other = front.url.replace("localhost", "127.0.0.1");
  const misnamed = await sendTest(other, {
    NODE_EXTRA_CA_CERTS: front.certificate,
  });
  assert.deepEqual([misnamed.status, misnamed.status_code], ["failed", null]);
  assert.equal(receiver.received.length, 1);
});
