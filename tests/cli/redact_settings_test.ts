import assert from "node:assert/strict";
import { loadSettings, type SettingsInput } from "../../src/core/settings.ts";
import {
  redactDatabaseUrl,
  redactSettings,
} from "../../src/cli/redact_settings.ts";

function redacted(flags: SettingsInput): Record<string, unknown> {
  const { settings } = loadSettings({
    defaults: { data_dir: "/tmp/data" },
    env: {},
    flags,
  });
  return redactSettings(settings);
}

Deno.test("redactDatabaseUrl() removes user, password and parameters, but not the path of a file", () => {
  const cases = [
    ["file:/srv/grid.db", "file:/srv/grid.db"],
    ["libsql://grid.example?authToken=secret", "libsql://grid.example"],
    ["https://me:secret@grid.example/db", "https://grid.example/db"],
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
  ] as const;
  for (const [url, expected] of cases) {
    assert.equal(redactDatabaseUrl(url), expected);
  }
});

Deno.test("redactSettings() keeps the values that are no secret", () => {
  const settings = redacted({
    port: 4321,
    host: "127.0.0.2",
    plugins: ["./a.ts"],
  });
  assert.deepEqual(
    [settings.port, settings.host, settings.plugins, settings.data_dir],
    [4321, "127.0.0.2", ["./a.ts"], "/tmp/data"],
  );
});

Deno.test("redactSettings() shows that a secret is set, but not the secret", () => {
  const settings = redacted({
    api_key: "secret-key-0123456789",
    encryption_key: "5e".repeat(32),
    database_auth_token: "secret-token",
  });
  assert.doesNotMatch(JSON.stringify(settings), /secret-|5e5e/);
  for (const name of ["api_key", "encryption_key", "database_auth_token"]) {
    assert.equal(settings[name], "(set, not shown)", name);
  }
  assert.equal(redacted({}).api_key, undefined);
});

Deno.test("redactSettings() redacts members of options by their names, at any depth, and passwords in URLs", () => {
  const { app_options } = redacted({
    app_options: {
      mail: {
        password: "secret-1",
        servers: [{ passphrase: "secret-2", host: "a.example" }],
        url: "https://me:secret-3@mail.example/inbox",
        access_token: "secret-4",
        retries: 3,
        key_count: 2,
      },
    },
  });
  assert.deepEqual(app_options, {
    mail: {
      password: "(set, not shown)",
      servers: [{ passphrase: "(set, not shown)", host: "a.example" }],
      url: "https://mail.example/inbox",
      access_token: "(set, not shown)",
      retries: 3,
      key_count: 2,
    },
  });
});
