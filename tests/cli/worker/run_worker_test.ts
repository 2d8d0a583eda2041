import assert from "node:assert/strict";
import { createApiClient } from "../../support/api.ts";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";
import { startProgram } from "../../support/program.ts";

async function withFolder(act: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  try {
    await act(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("worker registers with its options, drains at the first signal, and ends with 0 without sessions", () =>
  withFolder(async (dir) => {
    await using grid = await testGrid({ listen: true });
    await createApiClient(grid).pool({ name: "here" });
    await using program = startProgram([
      ...["worker", "--work-pool-id", "here", "--api-url", grid.url],
      ...["--worker-name", "mine", "--capacity", "3", "--reach", "direct"],
      ...["--data-dir", dir],
    ]);
    const [, id] = await program.until(
      /^Worker mine \((\S+)\) serves work pool here of http:\S+$/m,
    );
    const { out } = await cli(
      "worker",
      "list",
      "--json",
      "--api-url",
      grid.url,
    );
    const [worker, ...others] = JSON.parse(out);
    assert.deepEqual(others, []);
    assert.deepEqual(
      [worker.id, worker.name, worker.capacity, worker.reach],
      [id, "mine", 3, "direct"],
    );
    program.kill("SIGINT");
    assert.equal((await program.status).code, 0);
    await program.until(/Draining: no new sessions/);
  }));

Deno.test("worker waits for its server, and ends with 0 if a signal comes first", () =>
  withFolder(async (dir) => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    await using program = startProgram([
      ...["worker", "--work-pool-id", "here", "--data-dir", dir],
      ...["--api-url", `http://127.0.0.1:${port}`],
    ]);
    await program.until(/127\.0\.0\.1/);
    program.kill("SIGTERM");
    assert.equal((await program.status).code, 0);
    assert.doesNotMatch(program.output(), /serves work pool/);
  }));

Deno.test("worker ends with 1 for a work pool that does not exist, and for a wrong key", () =>
  withFolder(async (dir) => {
    await using grid = await testGrid({
      listen: true,
      settings: { api_key: "key-0123456789" },
    });
    const args = [
      ...["worker", "--work-pool-id", "nowhere", "--data-dir", dir],
      ...["--api-url", grid.url],
    ];
    const missing = await cli(...args, "--api-key", "key-0123456789");
    assert.deepEqual([missing.code, missing.out], [1, ""]);
    assert.match(missing.err, /^error: Cannot [^\n]*"nowhere"/m);
    const wrong = await cli(...args, "--api-key", "wrong-0123456789");
    assert.deepEqual([wrong.code, wrong.out], [1, ""]);
    assert.match(wrong.err, /^error: [^\n]*BROWSERGRID_API_KEY/m);
    assert.doesNotMatch(wrong.err, /wrong-0123/);
  }));

Deno.test("pool start-worker starts a worker of the pool that its argument names", () =>
  withFolder(async (dir) => {
    await using grid = await testGrid({ listen: true });
    await createApiClient(grid).pool({ name: "here" });
    await using program = startProgram([
      ...["pool", "start-worker", "here", "--api-url", grid.url],
      ...["--worker-name", "one", "--data-dir", dir],
    ]);
    await program.until(/^Worker one \(\S+\) serves work pool here /m);
  }));

Deno.test("a worker's options are checked before it connects or writes", () =>
  withFolder(async (dir) => {
    const folder = `${dir}/new`;
    const at = ["--api-url", "http://127.0.0.1:1", "--data-dir", folder];
    const cases: readonly [readonly string[], RegExp][] = [
      [["worker"], /no work pool, expected --work-pool-id ID/],
      [["worker", "--work-pool-id", "x", "--capacity", "0"], /--capacity "0"/],
      [
        ["worker", "--work-pool-id", "x", "--poll-interval", "often"],
        /--poll-interval "often": expected a whole number above 0/,
      ],
      [
        ["worker", "--work-pool-id", "x", "--drain-timeout", "-1"],
        /--drain-timeout/,
      ],
      [
        ["worker", "--work-pool-id", "x", "--reach", "far"],
        /choices are auto, direct, tunnel/,
      ],
      [["pool", "start-worker"], /missing required argument 'pool'/],
    ];
    for (const [args, fault] of cases) {
      const { code, out, err } = await cli(...args, ...at);
      assert.deepEqual([code, out], [2, ""], args.join(" "));
      assert.match(err, fault);
    }
    assert.deepEqual(await Array.fromAsync(Deno.readDir(dir)), []);
  }));
