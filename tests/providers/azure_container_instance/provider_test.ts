import assert from "node:assert/strict";
import { listSecretOptions } from "../../../src/core/provider/secret_options.ts";
import { azureContainerInstance } from "../../../src/providers/azure_container_instance/provider.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";

const SUBNET =
  "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n";

/** Settings of a server that machines reach. */
const PUBLIC = { public_url: "https://grid.example.test" };

const { configSchema } = azureContainerInstance;

const parse = (config: Readonly<Record<string, unknown>> = {}) =>
  configSchema.parse({
    resource_group: "grid",
    subscription_id: "00000000-0000-4000-8000-00000000000a",
    ...config,
  });

const SESSION = parse({ unit: "session", subnet_id: SUBNET });

Deno.test("pool create azure_container_instance accepts every option of the predecessor", async () => {
  await using grid = await testGrid({ listen: true, settings: PUBLIC });
  const { code, out, err } = await cli(
    ...["pool", "create", "azure_container_instance", "--name", "azure"],
    ...["--resource-group", "g", "--location", "westeurope"],
    ...[
      "--subscription-id",
      "00000000-0000-4000-8000-00000000000a",
      "--cpu",
      "2",
      "--memory-gb",
      "4",
    ],
    ...["--browser", "chrome", "--browser-version", "latest"],
    ...["--headless", "false", "--timeout", "30"],
    ...["--registry-server", "r.azurecr.io", "--registry-username", "me"],
    ...["--image-prefix", "r.azurecr.io/grid", "--capacity", "8"],
    ...["--json", "--api-url", grid.url],
  );
  assert.equal(code, 0, err);
  const pool = JSON.parse(out);
  assert.deepEqual(pool.warnings, []);
  assert.equal(pool.default_browser, "chrome");
  assert.equal(pool.default_resource_limits.timeout_minutes, 30);
  assert.partialDeepStrictEqual(pool.provider_config, {
    unit: "worker",
    capacity: 8,
    cpu: 2,
    memory_gb: 4,
    image_prefix: "r.azurecr.io/grid",
  });
});

Deno.test("the command of the documentation creates a pool", async () => {
  await using grid = await testGrid({ listen: true, settings: PUBLIC });
  const page = await Deno.readTextFile("docs/azure.md");
  const [, line = ""] =
    /^browsergrid (pool create (?:.*\\\n)*.*)$/m.exec(page) ??
      [];
  // The secret is read from a file of the reader.
  const words = line.replaceAll("\\\n", " ").replaceAll(/@\S+/g, "secret")
    .split(/\s+/);
  const { code, err } = await cli(...words, "--api-url", grid.url);
  assert.deepEqual([code, err], [0, ""]);
});

Deno.test("the secrets of the configuration are marked as such", () => {
  assert.deepEqual(listSecretOptions(configSchema), [
    "registry_password",
    "client_secret",
  ]);
});

Deno.test("the configuration rejects a session without a subnet, URLs that are not trusted, and too few sessions", () => {
  const faults = [
    { unit: "session" },
    { unit: "session", subnet_id: "subnet" },
    { management_url: "http://management.example.test" },
    { login_url: "https://login.example.test/path" },
    { login_url: "https://me:pw@login.example.test" },
    { capacity: 3 },
    { capacity: 9 },
    { cpu: 5 },
    { memory_gb: 17 },
    { resource_group: "a/b" },
    { subscription_id: "abc" },
    { tenant_id: "abc" },
    { tenant_id: "contoso.onmicrosoft.com/oauth2" },
    { unknown: 1 },
  ];
  for (const fault of faults) {
    assert.throws(() => parse(fault), { name: "ZodError" });
  }
  assert.equal(parse().management_url, "https://management.azure.com");
  assert.equal(parse().login_url, "https://login.microsoftonline.com");
  assert.equal(parse().metadata_url, "http://169.254.169.254");
});

Deno.test("unit session rejects sessions whose egress is limited, because Azure cannot enforce it", () => {
  const { unsupported } = azureContainerInstance;
  assert.equal(unsupported?.({ egress: "open" }, SESSION), undefined);
  assert.match(
    unsupported?.({ egress: "no_private" }, SESSION) ?? "",
    /cannot limit egress to "no_private".*expected egress open/,
  );
  const proxy = { proxy_url: "socks5://p.example:1", proxy_username: "me" };
  assert.match(
    unsupported?.({ egress: "open", proxy }, SESSION) ?? "",
    /credentials to http:\/\/ proxies only/,
  );
  assert.equal(unsupported?.({ egress: "open", proxy }, parse()), undefined);
});

Deno.test("unit worker has machines that start local browsers, and unit session has none", () => {
  const machines = azureContainerInstance.machines?.(
    parse({ capacity: 6, arguments: ["--lang=de"] }),
  );
  assert.partialDeepStrictEqual(machines, {
    capacity: 6,
    startTimeoutSeconds: 300,
    browsers: {
      provider: "local",
      config: {
        sandbox: "off",
        arguments: ["--disable-dev-shm-usage", "--lang=de"],
      },
    },
  });
  assert.equal(azureContainerInstance.machines?.(SESSION), undefined);
});

Deno.test("the place of machines is their resource group, whatever the case of its name, the credentials and the image", () => {
  const findPlace = (config: Readonly<Record<string, unknown>>) =>
    azureContainerInstance.machines?.(parse(config))?.place;
  const place = findPlace({});
  const same = {
    client_secret: "s",
    worker_image: "w",
    resource_group: "GRID",
  };
  assert.equal(findPlace(same), place);
  assert.notEqual(findPlace({ resource_group: "other" }), place);
  const subscription_id = "7b1a5f3e-0000-4000-8000-000000000002";
  assert.notEqual(findPlace({ subscription_id }), place);
});

Deno.test("the limits of a new pool are those of its groups for unit session only", () => {
  const { poolConfig } = azureContainerInstance;
  assert.deepEqual(poolConfig?.(SESSION), {
    default_resource_limits: { cpu: 1, memory: "2G" },
  });
  assert.deepEqual(poolConfig?.(parse({ timeout: 5 })), {
    default_resource_limits: { timeout_minutes: 5 },
  });
});

Deno.test("the az command of a session has a private address and shows no value of a variable or secret", async () => {
  const command = await azureContainerInstance.deployCommand(
    browserSpec({
      environment: { TOKEN: "planted-value" },
      cpu: 2,
      proxy: {
        proxy_url: "http://p.example:1",
        proxy_username: "me",
        proxy_password: "planted-password",
      },
    }),
    {
      ...SESSION,
      registry_server: "r.azurecr.io",
      registry_username: "puller",
      registry_password: "planted-registry",
      client_secret: "planted-client",
    },
  );
  assert.match(command, /^az container create .*--cpu 2 --memory 2 /);
  assert.match(command, /--restart-policy Never --subnet \S+\/subnets\/n /);
  assert.match(
    command,
    /--registry-password … --ip-address Private --ports 9222 /,
  );
  assert.match(command, /--secure-environment-variables TOKEN=… BROWSERGRID_/);
  assert.match(command, /--command-line '\/bin\/sh .*--headless=new/);
  assert.doesNotMatch(command, /planted|Public/);
});

Deno.test("the az command of a worker has no address and shows no key", async () => {
  const command = await azureContainerInstance.deployCommand(
    browserSpec(),
    parse({ capacity: 5 }),
  );
  assert.match(command, /^az container create .*--name browsergrid-worker /);
  assert.match(
    command,
    /--image browsergrid\/worker:latest --cpu 4 --memory 8 /,
  );
  assert.match(
    command,
    /--secure-environment-variables BROWSERGRID_API_KEY=… /,
  );
  assert.match(command, /browsergrid worker .*--capacity 5 --reach tunnel'$/);
  assert.doesNotMatch(command, /--ports|--ip-address/);
});
