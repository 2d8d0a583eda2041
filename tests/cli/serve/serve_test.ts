import assert from "node:assert/strict";
import { createClient } from "../../../src/client/client.ts";
import { cli } from "../../support/cli.ts";
import { startProgram } from "../../support/program.ts";

async function withFolder(act: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    await act(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("serve prints its URLs, key and data, and ends with 0 at the first signal", () =>
  withFolder(async (dir) => {
    await using program = startProgram([
      ...["serve", "--port", "0", "--data-dir", dir],
    ]);
    const [, url = ""] = await program.until(/API +(http\S+)\/v1\n/);
    await program.until(/Stop with Ctrl\+C/);
    const text = program.output();
    assert.match(text, /^Browsergrid \d+\.\d+\.\d+(-dev)? is ready\n/m);
    assert.match(
      text,
      new RegExp(`Connect +ws://${new URL(url).host}/v1/connect`),
    );
    assert.match(text, /Key +none is set: everyone who reaches the port/);
    assert.match(text, new RegExp(`Data +file:${dir}/browsergrid.db`));
    assert.match(text, /Worker +none here: browsergrid worker --help/);
    program.kill("SIGTERM");
    assert.equal((await program.status).code, 0);
    await program.until(/Stopping; a second signal stops at once/);
  }));

Deno.test("serve --with-worker creates its pool once, and its worker serves it", () =>
  withFolder(async (dir) => {
    for (const start of [1, 2]) {
      await using program = startProgram([
        ...["serve", "--port", "0", "--data-dir", dir],
        ...["--with-worker", "--worker-name", "mine"],
        ...["--worker-capacity", String(start)],
      ]);
      const [, url = ""] = await program.until(/API +(http\S+)\/v1\n/);
      const client = createClient({ apiUrl: url });
      const pools = await client.listPools();
      assert.deepEqual(
        pools.items.map(({ name, provider_type }) => [name, provider_type]),
        [["default", "local"]],
      );
      const { items: [worker, ...others] } = await client.listWorkers();
      assert.deepEqual(others, []);
      assert.deepEqual([worker?.name, worker?.capacity], ["mine", start]);
      assert.match(program.output(), /Worker +mine/);
    }
  }));

Deno.test("serve names the pool of another provider after the provider", () =>
  withFolder(async (dir) => {
    await using program = startProgram([
      ...["serve", "--port", "0", "--data-dir", dir, "--with-worker", "docker"],
    ]);
    const [, url = ""] = await program.until(/API +(http\S+)\/v1\n/);
    const { items } = await createClient({ apiUrl: url }).listPools();
    assert.deepEqual(items.map(({ name }) => name), ["default-docker"]);
  }));

Deno.test("serve ends with 1 and the next step if its port is taken", () =>
  withFolder(async (dir) => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const { code, err } = await cli(
      ...["serve", "--port", String(port), "--data-dir", dir],
    );
    assert.equal(code, 1);
    assert.match(
      err,
      new RegExp(`^error: Cannot listen on 127.0.0.1:${port}: .*--port$`, "m"),
    );
  }));

Deno.test("serve refuses an address that others can reach if no key is set", () =>
  withFolder(async (dir) => {
    const { code, err } = await cli(
      ...["serve", "--host", "0.0.0.0", "--port", "0", "--data-dir", dir],
    );
    assert.notEqual(code, 0);
    assert.match(err, /^error: Cannot .*0\.0\.0\.0/m);
    assert.match(err, /BROWSERGRID_API_KEY/);
  }));

Deno.test("serve --no-migrate ends with 1 on a database without tables, and creates none", () =>
  withFolder(async (dir) => {
    const { code, out, err } = await cli(
      ...["serve", "--no-migrate", "--port", "0", "--data-dir", dir],
    );
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, /^error: .*no such table/m);
    const status = await cli("migrate", "status", "--json", "--data-dir", dir);
    assert.ok(
      JSON.parse(status.out).every(({ appliedAt }: { appliedAt?: number }) =>
        appliedAt === undefined
      ),
    );
  }));

Deno.test("serve says that a key is required once there is one, in the settings or in the database", () =>
  withFolder(async (dir) => {
    const { out: key } = await cli(
      ...["key", "create", "me", "--role", "admin", "--direct"],
      ...["--data-dir", dir],
    );
    const args = ["serve", "--port", "0", "--data-dir", dir];
    {
      await using program = startProgram(args);
      const [, url = ""] = await program.until(/API +(http\S+)\/v1\n/);
      await program.until(/Key +required: one of the database/);
      const client = createClient({ apiUrl: url, apiKey: key });
      assert.deepEqual((await client.listPools()).items, []);
      await assert.rejects(createClient({ apiUrl: url }).listPools(), /key/);
    }
    await using program = startProgram(args, {
      BROWSERGRID_API_KEY: "another-key-0123456789",
    });
    await program.until(/Key +required: BROWSERGRID_API_KEY, or one of/);
    assert.doesNotMatch(program.output(), /another-key/);
  }));

Deno.test("serve rejects a worker capacity that is not a whole number above 0, before it starts anything", () =>
  withFolder(async (dir) => {
    const { code, err } = await cli(
      ...["serve", "--with-worker", "--worker-capacity", "0"],
      ...["--data-dir", `${dir}/new`],
    );
    assert.equal(code, 2);
    assert.match(err, /--worker-capacity "0": expected a whole number above 0/);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(dir)), []);
  }));
