import assert from "node:assert/strict";
import { Command } from "commander";
import { z } from "@hono/zod-openapi";
import { UsageError } from "../../../src/cli/exit.ts";
import {
  declareOptions,
  INLINE,
  listRequiredFlags,
  parseOptions,
  toOptionName,
} from "../../../src/cli/options/schema_options.ts";
import { secretSchema } from "../../../src/core/provider/secret_options.ts";

const ON = true;

/** A schema as a provider declares it, without flags. */
const providerSchema = z.strictObject({
  image: z.string().default("chromium:latest").describe("Image of the browser"),
  pull: z.enum(["missing", "always"]).default("missing").describe("When"),
  pids_limit: z.coerce.number().int().min(64).default(2048).describe("Limit"),
  arguments: z.array(z.string()).default([]).describe("Arguments"),
  read_only: z.boolean().optional().describe("Read-only"),
  labels: z.record(z.string(), z.string()).optional().describe("Labels"),
  region: z.string().describe("Region"),
});

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

Deno.test("declareOptions() makes flags, placeholders, defaults and choices from a schema without flags", () => {
  const options = declareOptions(providerSchema);
  assert.deepEqual(options.map(({ flags }) => flags), [
    "--image <value>",
    "--pull <value>",
    "--pids-limit <value>",
    "--arguments <value...>",
    "--read-only [true|false]",
    "--labels <name=value...>",
    "--region <value>",
  ]);
  assert.deepEqual(options.map(({ description }) => description), [
    'Image of the browser (default: "chromium:latest")',
    'When (default: "missing")',
    "Limit (default: 2048)",
    "Arguments",
    "Read-only",
    "Labels",
    "Region (required)",
  ]);
  assert.deepEqual(
    options.map(({ argChoices }) => argChoices),
    [
      undefined,
      ["missing", "always"],
      undefined,
      undefined,
      ["true", "false"],
      undefined,
      undefined,
    ],
  );
});

Deno.test("declareOptions() uses the flags of the metadata, and accepts other values than its suggestions", () => {
  const schema = z.object({
    eval: z.string().optional().meta({
      flags: "-e, --eval <code>",
      description: "code",
    }),
    provider: z.string().optional().meta({
      flags: "--provider <name>",
      description: "name",
      suggestions: ["local", "docker"],
    }),
    migrate: z.boolean().default(ON).meta({
      flags: "--no-migrate",
      description: "no migrations",
    }),
  });
  const [evaluate, provider, migrate] = declareOptions(schema);
  assert.deepEqual([evaluate?.short, evaluate?.long], ["-e", "--eval"]);
  assert.deepEqual(provider?.argChoices, ["local", "docker"]);
  assert.equal(migrate?.description, "no migrations");
  assert.deepEqual(parse(schema, "-e", "1 + 1", "--provider", "mine"), {
    eval: "1 + 1",
    provider: "mine",
    migrate: true,
  });
  assert.ok(!parse(schema, "--no-migrate").migrate);
});

Deno.test("parseOptions() returns values of the types of the schema, from text and from JSON", () => {
  const values = parse(
    providerSchema,
    ...["--region", "eu", "--pids-limit", "100", "--read-only", "true"],
    ...["--labels", '{"a":"1"}', "--arguments", "--x", "b"],
  );
  assert.deepEqual(values, {
    image: "chromium:latest",
    pull: "missing",
    pids_limit: 100,
    arguments: ["--x", "b"],
    read_only: true,
    labels: { a: "1" },
    region: "eu",
  });
  // Text that the schema accepts is not read as JSON.
  assert.equal(parse(providerSchema, "--region", "5").region, "5");
});

Deno.test("parseOptions() names each wrong option with its value", () => {
  const wrong = () =>
    parse(
      providerSchema,
      ...["--region", "eu", "--pids-limit", "few", "--labels", "nothing"],
    );
  assert.throws(wrong, (error) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /^Cannot use --pids-limit "few": .*number/);
    assert.match(error.message, /; --labels "nothing": /);
    return true;
  });
});

Deno.test("an inline member stands for the options of its own members, and its values stay together", () => {
  const schema = z.object({
    name: z.string().meta({ flags: "--name <name>", description: "name" }),
    config: providerSchema.meta(INLINE),
  });
  const flags = declareOptions(schema).map(({ long }) => long);
  assert.deepEqual(flags.slice(0, 3), ["--name", "--image", "--pull"]);
  const { name, config } = parse(
    schema,
    ...["--name", "a", "--image", "b", "--region", "eu"],
  );
  assert.deepEqual([name, config.image, config.region], ["a", "b", "eu"]);
  assert.throws(
    () => parse(schema, "--name", "a", "--region", "eu", "--pids-limit", "1"),
    /Cannot use --pids-limit "1": /,
  );
});

Deno.test("a member without a default is an option that the command line must have", () => {
  assert.deepEqual(listRequiredFlags(providerSchema), ["--region"]);
  assert.throws(
    () => parse(providerSchema),
    /required option '--region <value>' not specified/,
  );
});

Deno.test("a member with an enumeration accepts only its words", () => {
  assert.throws(
    () => parse(providerSchema, "--region", "eu", "--pull", "sometimes"),
    /Allowed choices are missing, always/,
  );
});

Deno.test("toOptionName() returns the name of the member for each form of flags", () => {
  const cases = [
    ["--shm-size <value>", "shm_size"],
    ["-e, --eval <code>", "eval"],
    ["--wait [seconds]", "wait"],
    ["--label <name=value...>", "label"],
    ["--force", "force"],
  ] as const;
  for (const [flags, name] of cases) assert.equal(toOptionName(flags), name);
});

Deno.test("a secret member is read from the file that @ names, and no error shows its value", async () => {
  const path = await Deno.makeTempFile();
  const schema = z.object({
    config: z.strictObject({
      region: z.string().describe("Region"),
      password: secretSchema().regex(/^[a-z]+$/).meta({ secret: true })
        .describe("Password"),
    }).meta(INLINE),
  });
  const read = (password: string) =>
    parse(schema, "--region", "eu", "--password", password).config.password;
  try {
    await Deno.writeTextFile(path, "hush\n");
    assert.equal(read(`@${path}`), "hush");
    assert.equal(read("plain"), "plain");
    assert.throws(() => read(`@${path}-missing`), /Cannot read ".*-missing": /);
    assert.throws(() => read("HUSH"), (error: Error) => {
      assert.match(error.message, /^Cannot use --password: /);
      assert.doesNotMatch(error.message, /HUSH/);
      return true;
    });
  } finally {
    await Deno.remove(path);
  }
});
