import assert from "node:assert/strict";
import { systemClock } from "../../src/async/clock.ts";
import { assertRefused, createApiClient } from "../support/api.ts";
import { eventually } from "../support/eventually.ts";
import { countedStarts, createWorker, twoReplicas } from "./scene.ts";

/** Far more than a refusal takes, far less than somebody would wait for. */
const BOUND_MS = 5_000;

Deno.test("during a remote database's outage every request is rejected with 503 and Retry-After, and succeeds as soon as it returns", async () => {
  await using s = await twoReplicas();
  const api = createApiClient(s.here);
  await api.pool();
  const worker = await api.worker();
  const { id } = await api.session();
  await s.database.stop();
  const startedAt = systemClock.monotonic();
  const refused = await Promise.all([
    api.call("GET", "/sessions"),
    api.call("GET", `/sessions/${id}`),
    api.call("POST", "/sessions", {}),
    api.call("DELETE", `/sessions/${id}`),
    api.call("GET", "/workerpool/pools"),
    api.call("PUT", `/workerpool/workers/${worker}/heartbeat`, {}),
    api.call("POST", `/workerpool/workers/${worker}/claim-session`, {}),
  ]);
  for (const answer of refused) {
    const expected = { status: 503, code: "database_unavailable" };
    assertRefused(answer, expected, /try again/);
    assert.match(answer.headers.get("retry-after") ?? "", /^\d+$/);
    assert.ok(!answer.text.includes(s.database.url), answer.text);
  }
  assert.equal((await s.here.request("/health")).status, 200);
  assert.equal((await s.here.request("/ready")).status, 503);
  assert.ok(systemClock.monotonic() - startedAt < BOUND_MS);
  await s.database.start();
  assert.equal((await api.call("GET", `/sessions/${id}`)).status, 200);
  assert.equal((await s.here.request("/ready")).status, 200);
  assert.equal((await api.claim(worker))?.id, id);
});

Deno.test("waiting clients receive the changes of an outage when the remote database returns", async () => {
  await using s = await twoReplicas();
  const [here, there] = [createApiClient(s.here), createApiClient(s.there)];
  await here.pool();
  const worker = await here.worker();
  const looks = () =>
    s.database.requests.filter((sql) =>
      sql.some((each) => each.includes("AS watched"))
    ).length;
  const claim = here.call(
    "POST",
    `/workerpool/workers/${worker}/claim-session?wait=30`,
  );
  await eventually("it waits", () => Promise.resolve(looks() > 0));
  await s.database.stop();
  // At least one poll of each server reaches no database.
  await systemClock.sleep(1_100);
  await s.database.start();
  const start = there.call("POST", "/sessions?wait=30", {});
  const { status, body } = await claim;
  assert.equal(status, 200);
  const [claimed] = body.sessions;
  await here.report(worker, claimed, "running", {
    endpoint: "ws://127.0.0.1:9/devtools/browser/x",
  });
  const started = await start;
  assert.deepEqual(
    [started.status, started.body.id, started.body.status],
    [201, claimed.id, "running"],
  );
});

Deno.test("a browser survives the database's outage, and can be ended afterwards", async () => {
  await using s = await twoReplicas();
  const api = createApiClient(s.there);
  await api.pool();
  const { provider, fake, starts } = countedStarts();
  await using _worker = await createWorker(s.here, provider, {
    name: "worker",
    capacity: 1,
  });
  const { body: { id } } = await api.call("POST", "/sessions?wait=20", {});
  await s.database.stop();
  await systemClock.sleep(300);
  await s.database.start();
  assert.equal(
    (await api.call("GET", `/sessions/${id}`)).body.status,
    "running",
  );
  assert.ok(fake.running.has(id));
  await api.call("DELETE", `/sessions/${id}`);
  await eventually("it ends", async () => {
    const { body } = await api.call("GET", `/sessions/${id}`);
    return body.status === "completed";
  });
  assert.equal(fake.running.size, 0);
  assert.deepEqual(starts, [id]);
});
