import assert from "node:assert/strict";
import { withAddedDefaults } from "../../support/added_defaults.ts";
import { toCamelCase } from "../../../src/http/wire_form.ts";
import { resolveStoredFields } from "../../../src/apps/sessions/stored_fields.ts";

Deno.test("resolveStoredFields() stores the default of each field that the create body leaves out", () => {
  const stored = resolveStoredFields({ browser: "chrome", priority: 3 });
  const known = {
    arguments: [],
    idleTimeoutSeconds: null,
    maxConnections: 1,
    labels: {},
    webhooksEnabled: true,
  };
  assert.deepEqual(stored, withAddedDefaults(known, toCamelCase));
});

Deno.test("resolveStoredFields() stores the create body's value, false and 0 included", () => {
  const stored = resolveStoredFields({
    arguments: ["--mute-audio"],
    idle_timeout_seconds: 30,
    max_connections: 4,
    labels: { team: "search" },
    webhooks_enabled: false,
  });
  const known = {
    arguments: ["--mute-audio"],
    idleTimeoutSeconds: 30,
    maxConnections: 4,
    labels: { team: "search" },
    webhooksEnabled: false,
  };
  assert.deepEqual(stored, withAddedDefaults(known, toCamelCase));
});
