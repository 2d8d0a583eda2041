import assert from "node:assert/strict";
import { assertRefused, createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";

const REFUSED = { status: 422, code: "argument_not_allowed" };

Deno.test("a claim and the session's response contain its arguments", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const given = ["--lang=de-DE", '--user-agent=A "b" $(c) --no-sandbox'];
  const { id } = await api.session({ arguments: given });
  const claimed = await api.claim(await api.worker());
  assert.deepEqual(claimed?.arguments, given);
  const { body } = await api.call("GET", `/sessions/${id}`);
  assert.deepEqual(body.arguments, given);
});

Deno.test("an argument that no pool allows is rejected with its name and the arguments that each pool allows", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const ask = (...given: readonly string[]) =>
    api.call("POST", "/sessions", { arguments: given });
  await api.pool({ name: "usual" });
  await api.pool({ name: "none", allowed_arguments: [] });
  await api.pool({ name: "some", allowed_arguments: ["--js-*", "--lang"] });
  const answer = await ask("--js-flags=--expose-gc", "--mute-audio", "--lang");
  assertRefused(
    answer,
    REFUSED,
    /"usual" not allowed: --js-flags, expected some of --accept-lang, .*"none" not allowed: --js-flags, --mute-audio, --lang, expected none at all; .*"some" not allowed: --js-flags, --mute-audio, expected some of --js-\*, --lang/,
  );
  assert.deepEqual(answer.body.refused.slice(1), [
    {
      work_pool: "none",
      arguments: ["--js-flags", "--mute-audio", "--lang"],
      allowed_arguments: [],
    },
    {
      work_pool: "some",
      arguments: ["--js-flags", "--mute-audio"],
      allowed_arguments: ["--js-*", "--lang"],
    },
  ]);
  assert.doesNotMatch(answer.text, /expose-gc/);
  assertRefused(
    await ask("--remote-debugging-port=9222"),
    REFUSED,
    /--remote-debugging-port is never allowed: it is how the grid, .*reaches/,
  );
  for (const wrong of ["--", "-x", "lang", "--a b", " --lang=x", "--lang\n"]) {
    assertRefused(await ask(wrong), { status: 422, code: "invalid_request" });
  }
  const list = await api.call("GET", "/sessions");
  assert.deepEqual(list.body.items, []);
});

Deno.test("a session is assigned to a pool that allows its arguments, even if another pool fits better", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ priority: 9 });
  await api.worker();
  const wide = await api.pool({
    name: "wide",
    allowed_arguments: ["--no-sandbox", "--lang"],
  });
  const risky = await api.session({ arguments: ["--no-sandbox"] });
  assert.equal(risky.work_pool_id, wide.id);
  assert.notEqual((await api.session()).work_pool_id, wide.id);
  assertRefused(
    await api.call("POST", "/sessions", {
      arguments: ["--no-sandbox"],
      work_pool_id: "pool",
    }),
    REFUSED,
    /"pool" not allowed: --no-sandbox/,
  );
});

Deno.test("a full pool that allows the arguments is rejected for its queue, not for the arguments", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool({ name: "open" });
  await api.pool({
    name: "wide",
    allowed_arguments: ["--no-sandbox"],
    max_queue: 0,
  });
  assertRefused(
    await api.call("POST", "/sessions", { arguments: ["--no-sandbox"] }),
    { status: 429, code: "queue_full" },
    /"wide"/,
  );
});

Deno.test("PATCH changes, removes and validates a pool's allowed arguments, with immediate effect", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  const { id } = await api.pool();
  const patch = (allowed_arguments: unknown) =>
    api.call("PATCH", `/workerpool/pools/${id}`, { allowed_arguments });
  const readStatus = async (argument: string) => {
    const asked = { arguments: [argument] };
    return (await api.call("POST", "/sessions", asked)).status;
  };
  assert.equal(await readStatus("--enable-logging"), 422);
  const { body } = await patch(["--enable-*"]);
  assert.deepEqual(body.allowed_arguments, ["--enable-*"]);
  assert.equal(await readStatus("--enable-logging"), 201);
  assert.equal(await readStatus("--lang=de"), 422);
  assertRefused(
    await patch(["--lang", "--remote-debugging-port"]),
    { status: 422, code: "invalid_request" },
    /allowed_arguments\.1: "--remote-debugging-port" can never be allowed: .*expected/,
  );
  assert.equal((await patch(null)).body.allowed_arguments, null);
  assert.equal(await readStatus("--lang=de"), 201);
});

Deno.test("a request rejected for its arguments leaves its key unused; a repeated request returns its session after they are disallowed", async () => {
  await using grid = await testGrid();
  const api = createApiClient(grid);
  await api.pool();
  const ask = async (argument: string) => {
    const response = await grid.request("/v1/sessions", {
      method: "POST",
      json: { arguments: [argument] },
      headers: { "Idempotency-Key": "k" },
    });
    const { id, code } = await response.json();
    return [response.status, id ?? code];
  };
  assert.deepEqual(await ask("--js-flags"), [422, "argument_not_allowed"]);
  const [status, id] = await ask("--lang=de");
  assert.equal(status, 201);
  await api.call("PATCH", "/workerpool/pools/pool", { allowed_arguments: [] });
  assert.deepEqual(await ask("--lang=de"), [201, id]);
  assert.deepEqual(await ask("--mute-audio"), [422, "idempotency_key_reused"]);
});
