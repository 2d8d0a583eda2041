import assert from "node:assert/strict";
import { cli } from "../support/cli.ts";
import { testGrid } from "../support/grid.ts";
import { startProgram } from "../support/program.ts";

Deno.test("help shows the help of a command at any depth, like --help", async () => {
  for (
    const words of [[], ["serve"], ["pool", "create", "docker"], ["runserver"]]
  ) {
    const { out, code, err } = await cli("help", ...words);
    assert.equal(code, 0, err);
    assert.equal(out, (await cli(...words, "--help")).out);
  }
  const near = await cli("help", "pool", "craete");
  assert.equal(near.code, 2);
  assert.match(near.err, /^error: Cannot show .*"craete".*mean "create"\?$/);
  const far = await cli("help", "pool", "launch");
  assert.match(far.err, /expected one of create, list/);
});

Deno.test("a similar name is suggested only if at most two letters differ", async () => {
  const near = await cli("sesion", "list");
  assert.match(
    near.err,
    /unknown command 'sesion'\n\(Did you mean session\?\)/,
  );
  for (const words of [["setup"], ["pool", "crop"], ["serve", "--worker"]]) {
    const { err, code } = await cli(...words);
    assert.equal(code, 2);
    assert.match(err, /^error: unknown/);
    assert.ok(!/Did you mean/.test(err), err);
  }
  const option = await cli("serve", "--prot", "1");
  assert.match(option.err, /Did you mean --port\?/);
});

Deno.test("every error begins with error:, from any source", async () => {
  for (
    const words of [
      ["launch"],
      ["serve", "--launch"],
      ["worker"],
      ["session", "create", "--screen", "big"],
      ["settings", "--config", "/nowhere/browsergrid.json", "--values"],
      ["session", "list", "--api-url", "http://127.0.0.1:1"],
      ["--plugin"],
    ]
  ) {
    const { err, code } = await cli(...words);
    assert.notEqual(code, 0, words.join(" "));
    assert.match(err, /^error: \w/, words.join(" "));
  }
});

Deno.test("session stop ends several sessions or all, and reports failures", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url];
  await cli("pool", "create", "local", "--name", "here", ...at);
  const made = async () => {
    const { out } = await cli("session", "create", "--json", ...at);
    return JSON.parse(out).id as string;
  };
  const [a, b, c, d] = [await made(), await made(), await made(), await made()];
  const two = await cli("session", "stop", a, b, a, ...at);
  assert.deepEqual(
    two.out.split("\n").sort(),
    [
      `Session ${a} is completed`,
      `Session ${b} is completed`,
    ].sort(),
  );
  const some = await cli("session", "stop", "nobody", c, ...at);
  assert.equal(some.code, 1);
  assert.equal(some.out, `Session ${c} is completed`);
  assert.match(some.err, /^error: .*"nobody"/);
  assert.match(some.err, /Cannot end 1 of 2 sessions/);
  const all = await cli("session", "stop", "--all", "--json", ...at);
  assert.deepEqual(JSON.parse(all.out).map(({ id }: { id: string }) => id), [
    d,
  ]);
  const none = await cli("session", "stop", "--all", ...at);
  assert.deepEqual([none.code, none.out], [0, ""]);
  for (const words of [[], ["--all", a]]) {
    const { code, err } = await cli("session", "stop", ...words, ...at);
    assert.equal(code, 2);
    assert.match(err, /expected ids or --all/);
  }
});

Deno.test("pools and sessions accept the same forms of --screen", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--json", "--api-url", grid.url];
  for (const size of ["1024x768", '{"width":1024,"height":768,"scale":2}']) {
    const name = `pool-${size.length}`;
    const pool = await cli(
      ...["pool", "create", "local", "--name", name, "--screen", size, ...at],
    );
    assert.equal(JSON.parse(pool.out).default_screen.width, 1024, pool.err);
    const session = await cli(
      ...["session", "create", "--screen", size, "--pool", name, ...at],
    );
    assert.equal(JSON.parse(session.out).screen.height, 768, session.err);
    const { out } = await cli(
      ...["pool", "update", name, "--screen", "800x600", ...at],
    );
    assert.equal(JSON.parse(out).default_screen.width, 800);
  }
  const wrong = await cli(
    ...["pool", "update", "pool-8", "--screen", "wide", ...at],
  );
  assert.match(wrong.err, /--screen "wide": expected WIDTHxHEIGHT, such as/);
});

Deno.test("serve prints the URL of its documentation, and a restart logs no rejected request", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  const args = ["serve", "--with-worker", "--port", "0", "--data-dir", dataDir];
  for (let start = 0; start < 2; start++) {
    await using serve = startProgram(args);
    const [, url = ""] = await serve.until(/Docs +(http:\S+\/docs)\n/);
    const page = await fetch(url);
    assert.equal(page.status, 200);
    await page.body?.cancel();
    assert.ok(!/ 4\d\d in /.test(serve.output()), serve.output());
    if (start === 0) continue;
    await using second = startProgram(args);
    assert.equal((await second.status).code, 1);
    await second.until(/use another --worker-name/);
  }
  await Deno.remove(dataDir, { recursive: true });
});
