import assert from "node:assert/strict";
import type { CheckResult } from "../../../src/core/provider.ts";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";
import { startHranaServer } from "../../support/hrana_server.ts";

interface Report {
  readonly ok: boolean;
  readonly checks: readonly CheckResult[];
  readonly providers: Readonly<Record<string, readonly CheckResult[]>>;
}

async function check(
  ...args: readonly string[]
): Promise<Report & { readonly code: number; of(name: string): CheckResult }> {
  const { code, out } = await cli(
    ...["check", "--json", "--provider", "local", ...args],
  );
  const report: Report = JSON.parse(out);
  return {
    ...report,
    code,
    of(name) {
      const found = report.checks.find((each) => each.name === name);
      assert.ok(found, `${name} in ${out}`);
      return found;
    },
  };
}

async function withFolder(act: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    await act(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("check passes on a new folder, creates no database there, and prints one line per check", () =>
  withFolder(async (dir) => {
    const at = ["--data-dir", `${dir}/new`, "--port", "0"];
    const { code, ok, checks, of, providers } = await check(...at);
    assert.deepEqual([code, ok], [0, true], JSON.stringify(checks));
    assert.match(of("database").detail, /is created at the first start/);
    assert.match(of("disk").detail, /GB free/);
    assert.ok(providers.local?.some(({ name }) => name === "browser"));
    assert.deepEqual(await Array.fromAsync(Deno.readDir(`${dir}/new`)), []);
    const { out } = await cli("check", "--provider", "local", ...at);
    assert.match(out, /^ok {4}data folder +.* may be written$/m);
    assert.match(out, /^(ok|warn) +local browser /m);
    assert.match(out, /\nReady to start$/);
  }));

Deno.test("check fails with the next step if something is missing", () =>
  withFolder(async (dir) => {
    const file = `${dir}/file`;
    await Deno.writeTextFile(file, "this is no database, and no folder");
    const at = ["--data-dir", dir, "--port", "0"];
    const cases: readonly [readonly string[], string, RegExp][] = [
      [["--data-dir", `${file}/below`], "data folder", /file/],
      [["--host", "0.0.0.0"], "key", /set BROWSERGRID_API_KEY/],
      [["--host", "192.0.2.1"], "port", /Cannot listen on 192\.0\.2\.1/],
      [["--database-url", `file:${file}`], "database", /database/],
      [["--database-url", "http://127.0.0.1:1"], "database", /127.*reached/],
      [["--port", "70000"], "settings", /setting "port" \(flag --port\)/],
    ];
    for (const [args, name, detail] of cases) {
      const { code, ok, of } = await check(...at, ...args);
      assert.deepEqual([code, ok], [1, false], args.join(" "));
      assert.equal(of(name).status, "fail", args.join(" "));
      assert.match(of(name).detail, detail);
    }
  }));

Deno.test("check names missing and unknown migrations", () =>
  withFolder(async (dir) => {
    const at = ["--data-dir", dir, "--port", "0"];
    await cli("createdb", ...at.slice(0, 2));
    assert.match((await check(...at)).of("migrations").detail, /are applied$/);
    const sql = (text: string) => cli("dbshell", "-c", text, "--data-dir", dir);
    await sql("DELETE FROM schema_migrations WHERE name LIKE '0001%'");
    const missing = await check(...at);
    assert.equal(missing.code, 0);
    assert.equal(missing.of("migrations").status, "warn");
    assert.match(missing.of("migrations").detail, /0001_/);
    await sql(
      "INSERT INTO schema_migrations VALUES ('9999_later', 1, '9.0.0')",
    );
    const unknown = await check(...at);
    assert.equal(unknown.code, 1);
    assert.match(
      unknown.of("migrations").detail,
      /version 9\.0\.0 has changed it.*"9999_later", expected browsergrid 9\.0\.0 or newer/,
    );
  }));

Deno.test("check compares the clock of a remote database, and connects to a running server", async () => {
  await using server = await startHranaServer();
  await using grid = await testGrid({
    listen: true,
    settings: { api_key: "key-0123456789" },
  });
  await withFolder(async (dir) => {
    const config = `${dir}/grid.json`;
    const settings = {
      data_dir: dir,
      database_url: `${server.url}?authToken=top-secret`,
      api_url: grid.url,
      api_key: "another-key",
      port: Number(new URL(grid.url).port),
    };
    await Deno.writeTextFile(config, JSON.stringify(settings));
    const report = await check("--config", config);
    assert.equal(report.of("clock").status, "ok");
    assert.match(report.of("database").detail, /answers in [\d.]+ ms/);
    assert.equal(report.of("server").status, "warn");
    assert.match(report.of("server").detail, /BROWSERGRID_API_KEY/);
    assert.match(report.of("port").detail, /used by a running Browsergrid/);
    assert.doesNotMatch(
      JSON.stringify(report.checks),
      /top-secret|another-key|key-0123/,
    );
  });
});

Deno.test("check --verbose lists the origins of settings", () =>
  withFolder(async (dir) => {
    const { checks } = await check("--data-dir", dir, "--verbose");
    const given = checks.filter(({ name }) => name === "setting");
    assert.ok(
      given.some(({ detail }) =>
        detail === "data_dir is given by flag --data-dir"
      ),
    );
  }));

Deno.test("check --provider-config needs one provider and JSON, also from a file", () =>
  withFolder(async (dir) => {
    const run = (...args: readonly string[]) =>
      cli("check", "--data-dir", dir, "--port", "0", ...args);
    const path = `${dir}/config.json`;
    await Deno.writeTextFile(path, '{"sandbox":"maybe"}');
    const one = ["--provider", "local", "--provider-config"];
    const wrong = await run(...one, `@${path}`);
    assert.equal(wrong.code, 1);
    assert.match(wrong.out, /^fail +local config +sandbox: /m);
    const cases: readonly [readonly string[], RegExp][] = [
      [["--provider-config", "{}"], /for all providers, expected one/],
      [[...one, "{"], /it is not JSON, expected an object/],
      [[...one, `@${path}-missing`], /Cannot read ".*-missing": /],
    ];
    for (const [args, message] of cases) {
      const { code, err } = await run(...args);
      assert.equal(code, 2);
      assert.match(err, message);
    }
  }));

Deno.test("check --provider-config accepts the output of pool get --json, and names the secrets that it lacks", () =>
  withFolder(async (dir) => {
    await using grid = await testGrid({ listen: true });
    const { code, err } = await cli(
      ...["pool", "create", "kubernetes", "--name", "pods"],
      ...["--api-server", "https://127.0.0.1:1", "--token", "planted-token"],
      ...["--unit", "worker", "--api-url", grid.url],
    );
    assert.equal(code, 0, err);
    const path = `${dir}/pool.json`;
    const { out } = await cli(
      ...["pool", "get", "pods", "--json", "--api-url", grid.url],
    );
    await Deno.writeTextFile(path, out);
    const run = (provider: string) =>
      cli(
        ...["check", "--data-dir", dir, "--port", "0"],
        ...["--provider", provider, "--provider-config", `@${path}`],
      );
    const checked = await run("kubernetes");
    assert.match(
      checked.out,
      /^warn +kubernetes secrets +The output of the pool lacks its secrets, .*: token, expected/m,
    );
    assert.match(
      checked.out,
      /^fail +kubernetes credentials +.*127\.0\.0\.1:1/m,
    );
    assert.match(
      checked.out,
      /^warn +kubernetes public_url +The setting public_url is not set, so that /m,
    );
    const other = await run("docker");
    assert.equal(other.code, 2);
    assert.match(
      other.err,
      /a pool of another provider, expected --provider "kubernetes"/,
    );
  }));
