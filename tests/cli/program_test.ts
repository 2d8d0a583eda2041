import assert from "node:assert/strict";
import { run } from "../../src/cli/program.ts";
import type { Output } from "../../src/cli/output.ts";
import { testGrid } from "../support/grid.ts";

/** Runs a command line and keeps what it prints. */
async function cli(
  ...args: readonly string[]
): Promise<
  { readonly code: number; readonly out: string; readonly err: string }
> {
  const out: string[] = [];
  const err: string[] = [];
  const output: Output = {
    print: (line) => void out.push(line),
    json: (value) => void out.push(JSON.stringify(value)),
    table: (head, rows) => void out.push(JSON.stringify({ head, rows })),
    progress: (line) => void err.push(line),
    error: (line) => void err.push(line),
  };
  const code = await run(args, output);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

const COMMANDS = [
  "serve",
  "worker",
  "pool",
  "session",
  "key",
  "migrate",
  "createdb",
  "makemigrations",
  "check",
  "settings",
  "docker",
];

Deno.test("--help names every command, and every command has its own help", async () => {
  const { code, out } = await cli("--help");
  assert.equal(code, 0);
  for (const command of COMMANDS) {
    assert.match(out, new RegExp(`^  ${command}\\b`, "m"));
    const own = await cli(command, "--help");
    assert.equal(own.code, 0);
    assert.match(own.out, /^Usage: browsergrid/);
  }
});

Deno.test("an unknown command or option ends with code 2, one line and the nearest word", async () => {
  for (
    const [args, nearest] of [
      [["serv"], /serve/],
      [["pool", "lst"], /list/],
      [["serve", "--prot", "1"], /--port/],
      [["worker"], /--work-pool-id/],
    ] as const
  ) {
    const { code, err } = await cli(...args);
    assert.equal(code, 2);
    assert.match(err, nearest);
    assert.doesNotMatch(err, /\n\s+at /);
  }
});

Deno.test("a server that is not there, or refuses, is one clear line and code 1", async () => {
  const away = await cli("pool", "list", "--api-url", "http://127.0.0.1:1");
  assert.equal(away.code, 1);
  assert.match(away.err, /^Error: Cannot reach .*127\.0\.0\.1:1/);
  assert.equal(away.err.split("\n").length, 1);
  await using grid = await testGrid({
    listen: true,
    settings: { api_key: "key-0123456789" },
  });
  const refused = await cli("pool", "list", "--api-url", grid.url);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /\[unauthorized\]$/);
});

Deno.test("pools are made, listed, changed, paused, resumed, drained and deleted", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  const made = await cli(
    ...["pool", "create", "docker", "--name", "box", "--browser", "chrome"],
    ...["--image", "my/image:{version}", "--shm-size", "2G"],
    ...["--headless", "true", "--max-sessions", "7", "--json", ...at],
  );
  assert.equal(made.code, 0, made.err);
  const pool = JSON.parse(made.out);
  assert.equal(pool.provider_config.image, "my/image:{version}");
  assert.deepEqual(
    [pool.default_browser, pool.default_headless, pool.max_sessions],
    ["chrome", true, 7],
  );
  const list = await cli("pool", "list", ...at);
  assert.match(list.out, /"box","docker","active"/);
  const changed = await cli(
    ...["pool", "update", "box", "--max-sessions", "null", "--priority", "3"],
    ...["--description", "new", "--json", ...at],
  );
  const { max_sessions, priority, description } = JSON.parse(changed.out);
  assert.deepEqual([max_sessions, priority, description], [null, 3, "new"]);
  for (
    const [verb, status] of [
      ["pause", "paused"],
      ["resume", "active"],
      ["drain", "draining"],
    ] as const
  ) {
    const { out } = await cli("pool", verb, "box", "--json", ...at);
    assert.equal(JSON.parse(out).status, status);
  }
  assert.equal((await cli("pool", "delete", "box", ...at)).code, 0);
  const gone = await cli("pool", "get", "box", ...at);
  assert.deepEqual([gone.code, /pool_not_found/.test(gone.err)], [1, true]);
});

Deno.test("every provider's options are checked before the server is asked", async () => {
  const missing = await cli(
    ...["pool", "create", "azure_container_instance", "--name", "x"],
    ...["--api-url", "http://127.0.0.1:1"],
  );
  assert.equal(missing.code, 1);
  assert.match(missing.err, /resource.group/);
  const wrong = await cli(
    ...["pool", "create", "docker", "--name", "x", "--pids-limit", "few"],
    ...["--api-url", "http://127.0.0.1:1"],
  );
  assert.match(wrong.err, /--pids-limit/);
});

Deno.test("sessions are asked for, listed, shown and stopped", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  await cli("pool", "create", "local", "--name", "here", ...at);
  const made = await cli(
    ...["session", "create", "--screen", "800x600", "--cpu", "1"],
    ...["--memory", "1G", "--env", "A=b=c", "--label", "x=y", "--json", ...at],
  );
  assert.equal(made.code, 0, made.err);
  const { id, screen, labels, environment } = JSON.parse(made.out);
  assert.deepEqual([screen.width, screen.height], [800, 600]);
  assert.deepEqual([labels, environment], [{ x: "y" }, ["A"]]);
  const list = await cli("session", "list", "--status", "pending", ...at);
  assert.ok(list.out.includes(id));
  const events = await cli("session", "events", id, ...at);
  assert.match(events.out, /session_created/);
  const stopped = await cli("session", "stop", id, ...at);
  assert.equal(stopped.out, `Session ${id} is completed`);
  const waited = await cli("session", "create", "--wait", "0.1", ...at);
  assert.equal(waited.code, 1);
  assert.match(waited.err, /still pending after 0\.1 s/);
  const once = ["session", "create", "--idempotency-key", "k", "--json", ...at];
  const [first, again] = [await cli(...once), await cli(...once)];
  assert.equal(JSON.parse(first.out).id, JSON.parse(again.out).id);
  const reused = await cli(...once, "--priority", "1");
  assert.deepEqual([reused.code, /another body/.test(reused.err)], [1, true]);
  const wrong = await cli("session", "create", "--screen", "big", ...at);
  assert.match(wrong.err, /WIDTHxHEIGHT/);
});

Deno.test("workers are listed, shown, drained, resumed and deleted, by id or name", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  await cli("pool", "create", "local", "--name", "here", ...at);
  const made = await grid.request("/v1/workerpool/workers", {
    method: "POST",
    json: { work_pool_id: "here", name: "one" },
  });
  const { worker: { id } } = await made.json();
  const list = await cli("worker", "list", ...at);
  assert.match(list.out, /"one","online","0\/5"/, list.err);
  const drained = await cli(
    ...["worker", "drain", "one", "--timeout", "60", "--json", ...at],
  );
  assert.equal(JSON.parse(drained.out).status, "draining", drained.err);
  const resumed = await cli("worker", "resume", id, "--json", ...at);
  assert.equal(JSON.parse(resumed.out).status, "online");
  const wrong = await cli("worker", "drain", "one", "--timeout", "x", ...at);
  assert.match(wrong.err, /--timeout "x".*expected a number/);
  assert.equal((await cli("worker", "delete", "one", ...at)).code, 0);
  const gone = await cli("worker", "get", "one", ...at);
  assert.deepEqual([gone.code, /none has this name/.test(gone.err)], [1, true]);
});

Deno.test("migrate, createdb and status tell where a database is", async () => {
  const dir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    const at = ["--data-dir", dir];
    const before = await cli("migrate", "status", "--json", ...at);
    assert.equal(JSON.parse(before.out)[0].appliedAt, undefined);
    assert.match((await cli("createdb", ...at)).out, /^Applied to .*0000/);
    assert.match((await cli("migrate", ...at)).out, /is up to date$/);
    const after = await cli("migrate", "status", "--json", ...at);
    assert.ok(JSON.parse(after.out)[0].appliedAt > 0);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("check says what is there and what is not, for people and for programs", async () => {
  const dir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    const { out } = await cli("check", "--json", "--data-dir", dir);
    const { checks, providers } = JSON.parse(out);
    assert.deepEqual(
      checks.map(({ name }: { name: string }) => name),
      ["data_dir", "database", "port"],
    );
    assert.ok("local" in providers && "docker" in providers);
    const { out: text } = await cli("check", "--data-dir", dir);
    assert.match(text, /provider local/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
