import assert from "node:assert/strict";
import { cli } from "../../support/cli.ts";
import { listSettings } from "../../../src/core/settings.ts";
import { settingsSchema } from "../../../src/core/settings_schema.ts";

Deno.test("settings lists every setting with variable, type, default and description", async () => {
  const { head, rows } = JSON.parse((await cli("settings")).out);
  assert.deepEqual(head, ["variable", "type", "default", "what"]);
  assert.equal(rows.length, Object.keys(settingsSchema.shape).length);
  const byName = new Map(listSettings().map((row) => [row.name, row]));
  assert.deepEqual(
    ["port", "migrate", "log_format", "apps", "public_url", "retention_hours"]
      .map((name) => byName.get(name)?.type),
    [
      "whole number, 0 to 65535",
      "true or false",
      "one of text, json",
      "list (JSON)",
      "URL",
      "number above 0",
    ],
  );
  for (const { type, name } of byName.values()) assert.notEqual(type, "", name);
});

Deno.test("settings --values lists each value and its origin, but no secret", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(
      file,
      JSON.stringify({
        lease_seconds: 60,
        api_key: "top-secret-1",
        database_auth_token: "top-secret-2",
        database_url: "libsql://grid.example?authToken=top-secret-3",
        app_options: {
          mail: { password: "top-secret-4", to: [{ apiKey: "top-secret-5" }] },
        },
        middleware: [{
          name: "rate_limit",
          options: { per_key: null, redis: "redis://me:top-secret-6@store" },
        }],
        api_url: "http://me:top-secret-7@grid.example",
      }),
    );
    const { out } = await cli(
      ...["settings", "--values", "--json", "--config", file],
    );
    assert.doesNotMatch(out, /top-secret/);
    const rows: { name: string; value: unknown; origin: string }[] = JSON.parse(
      out,
    );
    const of = (name: string) => rows.find((row) => row.name === name);
    assert.deepEqual(
      [of("lease_seconds")?.value, of("lease_seconds")?.origin],
      [60, `file ${file}`],
    );
    assert.equal(of("host")?.origin, "default");
    assert.equal(of("api_key")?.value, "(set, not shown)");
    assert.equal(of("database_url")?.value, "libsql://grid.example");
    assert.deepEqual(of("middleware")?.value, [{
      name: "rate_limit",
      enabled: true,
      options: { per_key: null, redis: "redis://store" },
    }]);
    assert.equal(of("api_url")?.value, "http://grid.example");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("settings --markdown prints a table whose columns are aligned, with vertical bars escaped", async () => {
  const { out, code } = await cli("settings", "--markdown");
  assert.equal(code, 0);
  const [head = "", line = "", ...rows] = out.split("\n");
  assert.match(head, /^\| variable +\| type +\| default +\| what +\|$/);
  assert.match(line, /^\| -+ \| -+ \| -+ \| -+ \|$/);
  assert.equal(rows.length, Object.keys(settingsSchema.shape).length);
  assert.deepEqual([...new Set([line, ...rows].map((each) => each.length))], [
    head.length,
  ]);
  for (const row of rows) {
    assert.match(row, /^\| `BROWSERGRID_\w+` +\|/);
    assert.equal(row.replaceAll("\\|", "").split("|").length, 6, row);
  }
});

Deno.test("settings --json prints each setting with its name and variable", async () => {
  const { out } = await cli("settings", "--json");
  const rows: { name: string; variable: string }[] = JSON.parse(out);
  assert.deepEqual(rows, listSettings());
  for (const { name, variable } of rows) {
    assert.equal(variable, `BROWSERGRID_${name.toUpperCase()}`);
  }
});

Deno.test("settings --values prints a table of values and origins, and warns about unknown variables", async () => {
  Deno.env.set("BROWSERGRID_COLOUR", "red");
  try {
    const { out, err } = await cli("settings", "--values");
    const { head, rows } = JSON.parse(out);
    assert.deepEqual(head, ["variable", "value", "from"]);
    const values = new Map<string, readonly string[]>(
      rows.map(([name, ...rest]: readonly string[]) => [name, rest]),
    );
    assert.deepEqual(values.get("BROWSERGRID_PLUGINS"), ["[]", "default"]);
    assert.deepEqual(values.get("BROWSERGRID_HOST"), ["127.0.0.1", "default"]);
    assert.match(err, /^warning: .*BROWSERGRID_COLOUR/m);
  } finally {
    Deno.env.delete("BROWSERGRID_COLOUR");
  }
});
