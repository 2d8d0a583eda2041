import assert from "node:assert/strict";
import { Command } from "commander";
import { sessionInputSchema } from "../../../src/apps/sessions/schemas.ts";
import {
  declareOptions,
  parseOptions,
} from "../../../src/cli/options/schema_options.ts";
import {
  declareFieldOptions,
  toCreateBody,
} from "../../../src/cli/session/field_options.ts";

function parse(...args: readonly string[]): Record<string, unknown> {
  const schema = declareFieldOptions();
  const command = new Command("create").exitOverride();
  for (const option of declareOptions(schema)) command.addOption(option);
  command.parse(args, { from: "user" });
  return toCreateBody(parseOptions(schema, command.opts()));
}

Deno.test("toCreateBody() sets every field that has an option", () => {
  const body = parse(
    ...["--browser", "firefox", "--browser-version", "126"],
    ...["--headless", "false", "--operating-system", "linux"],
    ...["--screen", "800x600", "--proxy-url", "http://proxy.example:3128"],
    ...["--cpu", "1.5", "--memory", "2G", "--timeout-minutes", "30"],
    ...["--env", "A=1", "B=2=3", "--argument=--mute-audio"],
    ...["--pool", "default", "--priority", "-5"],
    ...["--idle-timeout-seconds", "60", "--queue-timeout-seconds", "90"],
    ...["--max-connections", "2", "--label", "team=search", "--label", "x"],
  );
  assert.deepEqual(body, {
    browser: "firefox",
    version: "126",
    headless: false,
    operating_system: "linux",
    screen: { width: 800, height: 600 },
    proxy: { proxy_url: "http://proxy.example:3128" },
    resource_limits: { cpu: 1.5, memory: "2G", timeout_minutes: 30 },
    environment: { A: "1", B: "2=3" },
    arguments: ["--mute-audio"],
    work_pool_id: "default",
    priority: -5,
    idle_timeout_seconds: 60,
    queue_timeout_seconds: 90,
    max_connections: 2,
    labels: { team: "search", x: "" },
  });
  assert.ok(sessionInputSchema.safeParse(body).success);
});

Deno.test("toCreateBody() sets nothing without options", () => {
  assert.deepEqual(parse(), {});
});

Deno.test("toCreateBody() leaves values that are no boolean or number to the schema, which rejects them", () => {
  const body = parse("--headless", "perhaps", "--priority", "high");
  assert.equal(body["headless"], "perhaps");
  const { error } = sessionInputSchema.safeParse(body);
  assert.deepEqual(error?.issues.map(({ path }) => path.join(".")), [
    "headless",
    "priority",
  ]);
});
