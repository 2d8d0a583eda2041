import assert from "node:assert/strict";
import { nameKnownMembers } from "../../../src/http/openapi/unknown_members.ts";
import { Command } from "commander";
import type { z } from "zod";
import {
  declareOptions,
  parseOptions,
} from "../../../src/cli/options/schema_options.ts";
import { azureConfigSchema } from "../../../src/providers/azure_container_instance/config.ts";
import { kubernetesConfigSchema } from "../../../src/providers/kubernetes/config.ts";

/** Texts of options by member, where the text "1" is not accepted, and the parsed values. */
type Examples = Readonly<Record<string, readonly [string, unknown]>>;

const TOLERATION = { key: "a", operator: "Exists" };

const KUBERNETES: Examples = {
  api_server: ["https://10.0.0.1:6443", "https://10.0.0.1:6443"],
  insecure_skip_tls_verify: ["true", true],
  default_memory: ["3G", "3G"],
  shm_size: ["512M", "512M"],
  node_selector: ["pool=browsers", { pool: "browsers" }],
  tolerations: [JSON.stringify([TOLERATION]), [TOLERATION]],
  labels: ['{"team":"a"}', { team: "a" }],
  annotations: ["example.com/note=a=b, c", { "example.com/note": "a=b, c" }],
  image_pull_secrets: ["one", ["one"]],
  user_namespaces: ["false", false],
  arguments: ['["--lang=de","--mute-audio"]', ["--lang=de", "--mute-audio"]],
  active_deadline_seconds: ["3600", 3600],
  worker_memory: ["4G", "4G"],
};

const ID = "00000000-0000-0000-0000-000000000001";

const SUBNET =
  "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/b";

const AZURE: Examples = {
  subscription_id: [ID, ID],
  tenant_id: [ID, ID],
  client_id: [ID, ID],
  capacity: ["6", 6],
  cpu: ["1.5", 1.5],
  memory_gb: ["6", 6],
  timeout: ["90", 90],
  subnet_id: [SUBNET, SUBNET],
  registry_identity: ["/subscriptions/s/identity", "/subscriptions/s/identity"],
  start_timeout_seconds: ["60", 60],
  arguments: ["--lang=de", ["--lang=de"]],
  management_url: ["https://a.example", "https://a.example"],
  login_url: ["https://b.example", "https://b.example"],
  metadata_url: ["http://c.example", "http://c.example"],
};

/** Parses a command line by a schema, as a command does. */
function parse<S extends z.ZodObject>(
  schema: S,
  ...args: readonly string[]
): z.output<S> {
  const command = new Command("test").exitOverride().configureOutput({
    outputError: () => {},
  });
  for (const option of declareOptions(schema)) command.addOption(option);
  command.parse(args, { from: "user" });
  return parseOptions(schema, command.opts());
}

for (
  const [name, schema, examples, required] of [
    ["kubernetes", kubernetesConfigSchema, KUBERNETES, []],
    [
      "azure_container_instance",
      azureConfigSchema,
      AZURE,
      ["--resource-group=g", `--subscription-id=${ID}`],
    ],
  ] as const
) {
  Deno.test(`each option of provider ${name} can be set on the command line`, () => {
    for (const { long = "", argChoices } of declareOptions(schema)) {
      const member = long.slice(2).replaceAll("-", "_");
      const [text, expected] = examples[member] ??
        [argChoices?.at(-1) ?? "1", undefined];
      const subnet = text === "session" ? [`--subnet-id=${SUBNET}`] : [];
      const values: Readonly<Record<string, unknown>> = parse(
        schema,
        ...[...required, ...subnet, `${long}=${text}`],
      );
      const value = values[member];
      if (expected === undefined) assert.equal(String(value), text, long);
      else assert.deepEqual(value, expected, long);
    }
  });
}

Deno.test("a list of objects is one JSON list, or one JSON object for each value", () => {
  const other = { key: "b", effect: "NoSchedule" };
  const read = (...texts: readonly string[]) =>
    parse(kubernetesConfigSchema, "--tolerations", ...texts).tolerations;
  const [one, two] = [JSON.stringify(TOLERATION), JSON.stringify(other)];
  assert.deepEqual(read(one), [TOLERATION]);
  assert.deepEqual(read(one, two), [TOLERATION, other]);
  assert.deepEqual(read(`[${one},${two}]`), [TOLERATION, other]);
  assert.deepEqual(read("[]"), []);
});

Deno.test("the members of a record may stand in several values and in JSON", () => {
  const { labels } = parse(
    kubernetesConfigSchema,
    ...["--labels", "a=1", '{"b":"2"}', "--labels", "c="],
  );
  assert.deepEqual(labels, { a: "1", b: "2", c: "" });
});

Deno.test("text that is no list and no record is rejected with the accepted form", () => {
  const cases = [
    [
      ["--tolerations", "a:NoSchedule"],
      'Cannot use --tolerations "a:NoSchedule": 0: expected JSON such as [{"NAME": "VALUE"}]',
    ],
    [
      ["--node-selector", "browsers"],
      'Cannot use --node-selector "browsers": expected NAME=VALUE, or JSON such as {"NAME": "VALUE"}',
    ],
    [
      ["--labels", "team=a b"],
      'Cannot use --labels "team=a b": team: expected at most 63 letters, digits, -, _ and .',
    ],
    [
      ["--tolerations", '{"kee":"a"}'],
      'Cannot use --tolerations "{"kee":"a"}": 0: "kee" is unknown, did you mean "key"? Known are key, operator, value, effect, tolerationSeconds',
    ],
  ] as const;
  nameKnownMembers();
  for (const [args, message] of cases) {
    assert.throws(() => parse(kubernetesConfigSchema, ...args), { message });
  }
});
