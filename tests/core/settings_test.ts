import assert from "node:assert/strict";
import {
  listSettings,
  loadSettings,
  type SettingsSources,
} from "../../src/core/settings.ts";

function load(sources: Partial<SettingsSources>) {
  return loadSettings({
    defaults: { data_dir: "/data" },
    env: {},
    flags: {},
    ...sources,
  });
}

Deno.test("loadSettings() prefers flags to variables, variables to the file, and the file to defaults", () => {
  const sources = {
    file: {
      path: "grid.json",
      text: '{"port": 1, "host": "a", "data_dir": "/file"}',
    },
    env: { BROWSERGRID_PORT: "2", BROWSERGRID_HOST: "b" },
    flags: { port: 3 },
  };
  const { settings } = load(sources);
  assert.deepEqual(
    [settings.port, settings.host, settings.data_dir, settings.lease_seconds],
    [3, "b", "/file", 30],
  );
});

Deno.test("loadSettings() warns about an unknown variable with the nearest known one", () => {
  const { settings, warnings } = load({ env: { BROWSERGRID_PROT: "99" } });
  assert.equal(settings.port, 8765);
  assert.deepEqual(warnings, [
    "Unknown variable BROWSERGRID_PROT is ignored, did you mean BROWSERGRID_PORT?",
  ]);
});

Deno.test("loadSettings() rejects an invalid value and names its source", () => {
  assert.throws(
    () => load({ env: { BROWSERGRID_PORT: "many" } }),
    /Cannot use setting "port" \(variable BROWSERGRID_PORT\): expected whole number, 0 to 65535$/,
  );
  assert.throws(
    () => load({ flags: { port: 70_000 } }),
    /Cannot use setting "port" \(flag --port\)/,
  );
});

Deno.test("loadSettings() rejects an unknown name in the file and suggests the nearest", () => {
  assert.throws(
    () => load({ file: { path: "grid.json", text: '{"prot": 1}' } }),
    /Cannot use setting "prot": unknown, did you mean "port"\?/,
  );
});

Deno.test("loadSettings() rejects a file that is not a JSON object", () => {
  for (const text of ["[]", "{", "1"]) {
    assert.throws(
      () => load({ file: { path: "grid.json", text } }),
      /Cannot read settings from "grid.json": expected a JSON object/,
    );
  }
});

Deno.test("listSettings() describes every setting", () => {
  for (const row of listSettings()) {
    assert.notEqual(row.description, "", row.name);
    assert.match(row.variable, /^BROWSERGRID_[A-Z_]+$/);
  }
});

Deno.test("loadSettings() rejects a lease that one lost heartbeat would end", () => {
  assert.throws(
    () => load({ env: { BROWSERGRID_LEASE_SECONDS: "15" } }),
    /lease_seconds.*twice heartbeat_seconds/,
  );
});

Deno.test("loadSettings() separates the token from the URL of the database, and rejects a user or a password in it", () => {
  const loaded = (database_url: string, database_auth_token?: string) => {
    const { settings } = load({ flags: { database_url, database_auth_token } });
    return [settings.database_url, settings.database_auth_token];
  };
  assert.deepEqual(loaded("libsql://grid.example?authToken=a%2Bb&tls=1"), [
    "libsql://grid.example?tls=1",
    "a+b",
  ]);
  assert.deepEqual(loaded("https://grid.example/?authToken=new", "old"), [
    "https://grid.example/",
    "new",
  ]);
  assert.deepEqual(loaded("http://grid.example?tls=0", "old"), [
    "http://grid.example?tls=0",
    "old",
  ]);
  assert.deepEqual(loaded("file:a.db?authToken=x"), [
    "file:a.db?authToken=x",
    undefined,
  ]);
  const rejected = () => loaded("https://user:geheim@grid.example");
  assert.throws(
    rejected,
    /"database_url" \(flag --database-url\): expected no/,
  );
  assert.throws(rejected, (error) => !String(error).includes("geheim"));
});

Deno.test("a public URL with a user or a password is rejected without showing them", () => {
  const rejected = () =>
    loadSettings({
      defaults: { data_dir: "/data" },
      env: { BROWSERGRID_PUBLIC_URL: "https://user:geheim@grid.example" },
      flags: {},
    });
  assert.throws(rejected, /"public_url" \(variable BROWSERGRID_PUBLIC_URL\)/);
  assert.throws(rejected, (error) => !String(error).includes("geheim"));
});

Deno.test("the variables of OpenTelemetry are settings of traces, after those of this program", () => {
  const load = (env: Record<string, string>) =>
    loadSettings({ defaults: { data_dir: "d" }, env, flags: {} });
  const standard = {
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318",
    OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20a%3Db, x-tenant = one",
    OTEL_SERVICE_NAME: "grid-eu",
  };
  const { settings, origins, warnings } = load(standard);
  assert.equal(settings.otlp_endpoint, "http://collector:4318");
  assert.deepEqual(settings.otlp_headers, {
    authorization: "Bearer a=b",
    "x-tenant": "one",
  });
  assert.equal(settings.otlp_service_name, "grid-eu");
  assert.equal(origins.otlp_endpoint, "variable OTEL_EXPORTER_OTLP_ENDPOINT");
  assert.deepEqual(warnings, []);
  const own = load({
    ...standard,
    BROWSERGRID_OTLP_ENDPOINT: "https://other",
  });
  assert.equal(own.settings.otlp_endpoint, "https://other");
  assert.equal(
    own.origins.otlp_endpoint,
    "variable BROWSERGRID_OTLP_ENDPOINT",
  );
});

Deno.test("an unusable variable of OpenTelemetry is ignored with a warning that does not contain it", () => {
  const { settings, origins, warnings } = loadSettings({
    defaults: { data_dir: "d" },
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://user:hunter2@collector:4318",
      OTEL_EXPORTER_OTLP_HEADERS: "no name=hunter2",
    },
    flags: {},
  });
  assert.equal(settings.otlp_endpoint, undefined);
  assert.deepEqual(settings.otlp_headers, {});
  assert.equal(origins.otlp_endpoint, "default");
  assert.equal(warnings.length, 2);
  assert.match(warnings[0] ?? "", /^Variable OTEL_EXPORTER_OTLP_ENDPOINT is/);
  assert.ok(!warnings.join().includes("hunter2"), warnings.join());
});
