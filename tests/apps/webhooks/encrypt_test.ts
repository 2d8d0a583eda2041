import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { TEST_KEY, type TestGrid, testGrid } from "../../support/grid.ts";
import {
  RECEIVER_SETTINGS,
  startReceiver,
  verifySignature,
} from "../../support/webhook_receiver.ts";

const NEW_KEY = "cd".repeat(32);

async function readSealed({ core: { db } }: TestGrid) {
  const { rows } = await db.client.execute(
    "SELECT secret, previous_secret, headers FROM webhooks",
  );
  return JSON.stringify(rows.map((row) => ({ ...row })));
}

Deno.test("a new encryption key encrypts the secrets and headers of webhooks again, which stay valid", async () => {
  await using receiver = await startReceiver();
  const dataDir = await Deno.makeTempDir();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(dataDir, { recursive: true }));
  let before: string;
  let secret: string;
  let previous: string;
  {
    await using grid = await testGrid({ dataDir });
    const api = createApiClient(grid);
    const { body } = await api.call("POST", "/webhooks", {
      name: "a",
      url: "https://hooks.invalid/",
      event_pattern: "session.created",
      headers: { authorization: "Bearer planted" },
    });
    previous = body.secret;
    const path = `/webhooks/${body.id}/rotate-secret`;
    secret = (await api.call("POST", path, {})).body.secret;
    before = await readSealed(grid);
    assert.doesNotMatch(before, /planted|whsec_/);
  }
  const keys = {
    encryption_key: NEW_KEY,
    previous_encryption_keys: [TEST_KEY],
  };
  {
    await using grid = await testGrid({ dataDir, settings: keys });
    const after = await readSealed(grid);
    assert.doesNotMatch(after, /planted|whsec_/);
    const [old, fresh] = [before, after].map((text) => JSON.parse(text)[0]);
    for (const column of ["secret", "previous_secret", "headers"]) {
      assert.notEqual(old[column], fresh[column], column);
    }
  }
  // The earlier key is not needed any more.
  await using grid = await testGrid({
    dataDir,
    listen: true,
    settings: { ...RECEIVER_SETTINGS, encryption_key: NEW_KEY },
  });
  const api = createApiClient(grid);
  const { body: { items: [hook] } } = await api.call("GET", "/webhooks");
  await api.call("PATCH", `/webhooks/${hook.id}`, { url: receiver.url });
  await api.call("POST", `/webhooks/${hook.id}/test`);
  const [request] = await receiver.waitFor(1);
  assert.ok(request);
  assert.equal(request.headers.get("authorization"), "Bearer planted");
  verifySignature(request, secret);
  verifySignature(request, previous);
});
