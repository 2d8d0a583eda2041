import assert from "node:assert/strict";
import { resolveStoredFields } from "../../../src/apps/sessions/stored_fields.ts";

Deno.test("resolveStoredFields() stores the default of each field that the create body leaves out", () => {
  assert.deepEqual(resolveStoredFields({ browser: "chrome", priority: 3 }), {
    arguments: [],
    idleTimeoutSeconds: null,
    maxConnections: 1,
    labels: {},
    webhooksEnabled: true,
  });
});

Deno.test("resolveStoredFields() stores the create body's value, false and 0 included", () => {
  const stored = resolveStoredFields({
    arguments: ["--mute-audio"],
    idle_timeout_seconds: 30,
    max_connections: 4,
    labels: { team: "search" },
    webhooks_enabled: false,
  });
  assert.deepEqual(stored, {
    arguments: ["--mute-audio"],
    idleTimeoutSeconds: 30,
    maxConnections: 4,
    labels: { team: "search" },
    webhooksEnabled: false,
  });
});
