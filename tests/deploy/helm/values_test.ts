import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "yaml";
import config from "../../../deno.json" with { type: "json" };
import { loadSettings } from "../../../src/core/settings.ts";
import { settingsSchema } from "../../../src/core/settings_schema.ts";
import { CHART, chartTest, renderChart } from "../../support/helm/chart.ts";
import { ADMIN_KEY, RELEASES } from "../../support/helm/chart_values.ts";
import { listWorkloads, resolveVariables } from "../../support/helm/pods.ts";

/** Settings that are no members of `settings` in values: keys, and those that the chart sets. */
const NOT_IN_VALUES: ReadonlySet<string> = new Set([
  ...["host", "port", "data_dir", "api_url", "public_url", "database_url"],
  ...["api_key", "encryption_key", "database_auth_token"],
  ...["previous_encryption_keys", "otlp_headers"],
]);

const SECRETS = {
  "admin-key": ADMIN_KEY,
  "encryption-key": "0123456789abcdef".repeat(4),
  "database-token": "token",
  "api-key": "key-of-a-worker-0123456789",
  headers: "authorization=Bearer%20KEY",
};

const render = (release: keyof typeof RELEASES) =>
  renderChart(RELEASES[release]);

chartTest(
  "the variables of containers are settings of the program, with valid values",
  async () => {
    for (const release of Object.values(RELEASES)) {
      const { manifests } = await renderChart(release);
      for (const { container } of listWorkloads(manifests)) {
        const { settings, warnings } = loadSettings({
          defaults: {},
          env: resolveVariables(container, SECRETS),
          flags: {},
        });
        assert.deepEqual(warnings, []);
        assert.equal(settings.data_dir, "/data");
      }
    }
    const { manifests } = await render("three servers over libSQL");
    const [server] = listWorkloads(manifests);
    assert.ok(server);
    const env = resolveVariables(server.container, SECRETS);
    const { settings } = loadSettings({ defaults: {}, env, flags: {} });
    assert.partialDeepStrictEqual(settings, {
      host: "0.0.0.0",
      port: 8765,
      database_url: "libsql://grid.example",
      database_auth_token: "token",
      session_timeout_minutes: 1_000_000,
      trusted_proxies: ["10.0.0.0/8"],
      webhook_allow_http: true,
      otlp_headers: { authorization: "Bearer KEY" },
      middleware: [{ name: "cors", enabled: false, options: {} }],
    });
  },
);

Deno.test("values.schema.json accepts the settings of the program, and no others", async () => {
  const schema = JSON.parse(
    await Deno.readTextFile(join(CHART, "values.schema.json")),
  );
  const names = Object.keys(settingsSchema.shape)
    .filter((name) => !NOT_IN_VALUES.has(name));
  assert.deepEqual(
    schema.definitions.settings.propertyNames.enum,
    names.toSorted(),
  );
});

Deno.test("values.yaml has a comment for every value", async () => {
  const text = await Deno.readTextFile(join(CHART, "values.yaml"));
  const isCommented = (line: string, before: string) =>
    /^\s*#/.test(before) || /:$/.test(before) && /:$/.test(line);
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  // Groups such as "server:", and members that share the comment of the line before them.
  const bare = lines.filter((line, at) =>
    /^ {0,4}\w+:/.test(line) && !isCommented(line, lines[at - 1] ?? "")
  ).map((line) => line.trim().replace(/:.*/, ""));
  const shared = [
    ...[
      "server",
      "database",
      "persistence",
      "requests",
      "cpu",
      "memory",
      "limits",
    ],
    ...["podAnnotations", "tolerations", "affinity", "secretSettings"],
    ...["topologySpreadConstraints", "priorityClassName", "key", "log_format"],
    ...["ipv4", "ipv6", "maxReplicas", "serviceAccount", "service", "ingress"],
    ...["networkPolicy", "podDisruptionBudget", "serviceMonitor"],
  ];
  assert.deepEqual(bare.filter((name) => !shared.includes(name)), []);
});

chartTest(
  "values that are wrong, unknown or missing are rejected with their names",
  async () => {
    const secret = { adminKey: ADMIN_KEY };
    const cases = [
      [{}, /secret\.adminKey is empty, expected a long random text/],
      [{ secret: { adminKey: "short" } }, /secret\.adminKey: Does not match/],
      [{ secret, replicas: 2 }, /Additional property replicas is not allowed/],
      [
        { secret, server: { replicas: 2 } },
        /server\.replicas is more than 1 over a SQLite file/,
      ],
      [
        { secret, server: { database: { url: "libsql://a.example" } } },
        /secret\.encryptionKey is empty/,
      ],
      [
        { secret, server: { settings: { api_key: "x" } } },
        /Property name of "api_key" does not match|server\.settings/,
      ],
      [{ secret, server: { settings: { prot: 1 } } }, /server\.settings/],
      [{ secret, workers: [{}] }, /workers\.0: pool is required/],
      [
        { secret, workers: [{ pool: "a" }] },
        /worker of pool "a": key is empty, expected one of "browsergrid key create/,
      ],
      [
        { secret, workers: [{ pool: "a", capacity: "5" }] },
        /workers\.0\.capacity: Invalid type/,
      ],
      [
        {
          secret,
          workers: [{
            pool: "a",
            existingSecret: "s",
            autoscaling: { enabled: true },
          }],
        },
        /autoscaling\.existingSecret is empty/,
      ],
      [{ secret, ingress: { enabled: true } }, /ingress\.host is empty/],
      [
        { secret, serviceMonitor: { enabled: true } },
        /serviceMonitor\.existingSecret is empty/,
      ],
    ] as const;
    for (const [values, expected] of cases) {
      await assert.rejects(renderChart(values), expected);
    }
  },
);

Deno.test("the chart has the version of the program", async () => {
  const chart = parse(await Deno.readTextFile(join(CHART, "Chart.yaml")));
  assert.deepEqual(
    [chart.version, chart.appVersion],
    [config.version, config.version],
  );
});

chartTest(
  "the public URL is the one of the values, of the Ingress, or of the Service for workers that the server starts",
  async () => {
    const secret = { adminKey: ADMIN_KEY };
    const ingress = { enabled: true, host: "grid.example" };
    const kubernetes = { workerPods: true };
    const publicUrl = "https://public.example";
    const cases = [
      [{}, undefined],
      [{ kubernetes }, "http://grid-browsergrid.grids.svc:8765"],
      [{ kubernetes, ingress }, "http://grid.example"],
      [{ ingress, server: { publicUrl } }, publicUrl],
    ] as const;
    for (const [values, expected] of cases) {
      const { manifests } = await renderChart({ secret, ...values });
      const [server] = listWorkloads(manifests);
      assert.ok(server);
      const variables = resolveVariables(server.container, SECRETS);
      assert.equal(variables.BROWSERGRID_PUBLIC_URL, expected);
    }
  },
);
