import assert from "node:assert/strict";
import { ApiError, createClient, each } from "../../src/client/client.ts";
import { describedApi } from "../support/api_document.ts";
import { createApiClient } from "../support/api.ts";
import { fakePage } from "../support/fake_page.ts";
import { freePort } from "../support/free_port.ts";
import { eventually } from "../support/eventually.ts";
import { testGrid } from "../support/grid.ts";
import { startTlsFront } from "../support/tls_front.ts";
import { startUpstream } from "../support/upstream.ts";

/** Paths whose operations have a method. Another app adds its own when programs need them. */
const HAS_METHODS =
  /^\/(?!v\d)|^\/v1\/(sessions|workerpool|keys|connect|events|webhooks)(\/|$)/;

/** Operations for people or for other clients. */
const WITHOUT_METHOD = [
  "docs",
  "getIndex",
  "sessionSocket",
  "liveSocket",
  "pageSocket",
  "connectSocket",
  "sessionStream",
  "workerTunnel",
  "workerStream",
];

/** A webhook whose name is never resolved in these tests. */
const WEBHOOK = {
  name: "hook",
  url: "https://hooks.invalid/",
  event_pattern: "session.*",
};

/** Starts a server that never responds. */
function startSilentServer(): Disposable & { readonly apiUrl: string } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const taken: Deno.Conn[] = [];
  void (async () => {
    for await (const connection of listener) taken.push(connection);
  })().catch(() => {});
  return {
    apiUrl: `http://127.0.0.1:${listener.addr.port}`,
    [Symbol.dispose]() {
      listener.close();
      for (const connection of taken) connection.close();
    },
  };
}

Deno.test("the client has a method for every operation of the API description, with its name", async () => {
  await using grid = await testGrid();
  const { operations } = await describedApi(grid);
  const client: object = createClient({ apiUrl: "http://127.0.0.1" });
  const missing = operations.filter(({ path }) => HAS_METHODS.test(path))
    .map(({ id }) => id).filter((id) => !(id in client));
  assert.deepEqual(missing.sort(), WITHOUT_METHOD.sort());
});

Deno.test("every method of the client calls the operation with its name", async () => {
  await using upstream = await startUpstream({ page: fakePage() });
  await using grid = await testGrid();
  const { operations } = await describedApi(grid);
  const called = new Set<string>();
  const client = createClient({
    apiUrl: "http://grid",
    fetch: async (input, init) => {
      const { pathname, search } = new URL(String(input));
      const operation = operations.find(({ method, path }) =>
        method === init?.method &&
        new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(pathname)
      );
      called.add(operation?.id ?? pathname);
      return await grid.request(pathname + search, init);
    },
  });
  assert.equal((await client.checkHealth()).status, "ok");
  assert.equal((await client.checkReady()).status, "ready");
  assert.match(await client.getMetrics(), /^# HELP browsergrid_/);
  assert.equal((await client.getApiDocument())["openapi"], "3.1.0");
  assert.ok((await client.getConnectVersion())["webSocketDebuggerUrl"]);

  const body = { name: "a", provider_type: "local" };
  const pool = await client.createPool(body);
  assert.equal((await client.listPools()).items.length, 1);
  assert.equal((await client.getPool("a")).id, pool.id);
  assert.equal((await client.replacePool("a", body)).priority, 0);
  assert.equal((await client.patchPool("a", { priority: 7 })).priority, 7);
  assert.equal((await client.pausePool("a")).status, "paused");
  assert.equal((await client.drainPool("a")).status, "draining");
  assert.equal((await client.resumePool("a")).status, "active");
  assert.equal((await client.getPoolPressure("a")).pending, 0);

  const [local] = (await client.listProviders()).items;
  assert.equal(local?.name, "local");

  const recorded = (await client.listEvents({ type: "pool.*" })).items;
  for await (const event of client.streamEvents({ last_event_id: 0 })) {
    assert.deepEqual(event, recorded[0]);
    break;
  }
  const webhook = await client.createWebhook(WEBHOOK);
  assert.equal((await client.listWebhooks()).items.length, 1);
  assert.equal((await client.getWebhook(webhook.id)).name, "hook");
  const rotated = await client.rotateWebhookSecret(webhook.id);
  assert.notEqual(rotated.secret, webhook.secret);
  const test = await client.testWebhook(webhook.id);
  const sent = await client.getWebhookDelivery(webhook.id, test.id);
  assert.equal(sent.type, "webhook.test");
  const { status } = await client.retryWebhookDelivery(webhook.id, test.id);
  const ofStatus = await client.listWebhookDeliveries(webhook.id, { status });
  assert.deepEqual(ofStatus.items.map((each) => each.id), [test.id]);
  const changed = await client.patchWebhook(webhook.id, { active: false });
  assert.equal(changed.inactive_reason, "requested");
  await client.deleteWebhook(webhook.id);

  const key = await client.createKey({ name: "k", role: "client" });
  assert.equal((await client.listKeys()).items.length, 1);
  assert.equal((await client.getKey(key.prefix)).id, key.id);
  await client.revokeKey(key.id);
  assert.equal((await client.getKey(key.id)).status, "revoked");

  const { worker, instance_id: instanceId, secret = "" } = await client
    .registerWorker({ work_pool_id: "a" });
  const proof = { secret, instanceId };
  assert.equal((await client.listWorkers()).items.length, 1);
  assert.equal((await client.getWorker(worker.id)).id, worker.id);
  assert.deepEqual((await client.listWorkerMetrics(worker.id)).items, []);
  assert.equal((await client.drainWorker(worker.id)).status, "draining");
  assert.equal((await client.resumeWorker(worker.id)).status, "online");
  assert.equal(await client.claimSession(worker.id, {}, { proof }), undefined);

  const { id } = await client.createSession({ labels: { a: "b" } });
  const claim = await client.claimSession(worker.id, {}, { proof });
  assert.deepEqual(claim?.sessions.map((each) => each.id), [id]);
  const report = { session_id: id, fencing_token: 1 };
  const { reports } = await client.sendHeartbeat(worker.id, {
    sessions: [{ ...report, status: "running", endpoint: upstream.endpoint }],
  }, { proof });
  assert.equal(reports[0]?.result, "accepted");
  const result = await client.sendBrowserEvents(worker.id, {}, { proof });
  assert.deepEqual(result, { accepted: 0 });
  const found = await client.listSessions({ label: "a=b", status: "running" });
  assert.deepEqual(found.items.map((each) => each.id), [id]);
  assert.ok((await client.getSessionVersion(id))["webSocketDebuggerUrl"]);
  assert.equal((await client.listSessionTargets(id)).length, 1);
  assert.ok((await client.getSessionProtocol(id))["domains"]);
  assert.equal(
    (await client.openTarget(id, "https://a.example/"))["id"],
    "PAGE",
  );
  assert.equal(await client.activateTarget(id, "PAGE"), "Target activated");
  assert.equal(await client.closeTarget(id, "PAGE"), "Target is closing");
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const picture = await client.getSessionScreenshot(id, { full_page: true });
  assert.equal(decode(picture), "a picture");
  assert.equal(decode(await client.getSessionPdf(id)), "%PDF-1.4 %%EOF");
  assert.match(await client.getSessionContent(id), /^<!DOCTYPE html>/);
  const link = await client.createLiveLink(id, { mode: "control" });
  assert.deepEqual((await client.listLiveLinks(id)).items[0]?.id, link.id);
  await client.revokeLiveLink(id, link.id);
  const token = { fencing_token: 1 };
  await client.addSessionEvent(id, { ...token, event: "session_idle" }, {
    proof,
  });
  await client.addSessionMetric(id, { ...token, cpu_percent: 3 }, { proof });
  const events = (await client.listSessionEvents(id)).items;
  assert.equal(events.at(-1)?.event, "session_idle");
  const [metric] = (await client.listSessionMetrics(id)).items;
  assert.equal(metric?.cpu_percent, 3);
  const detail = await client.getSession(id, { include: "metrics" });
  assert.equal(detail.metrics?.length, 1);
  assert.ok((await client.refreshSession(id, 5)).expires_at);
  const output = { ...token, text: "one\n", first: true };
  assert.deepEqual(await client.addSessionLogs(id, output, { proof }), {
    followed: false,
  });
  const handover = await client.requestHandover(id, { reason: "sign in" });
  assert.equal((await client.getHandover(id)).status, "open");
  const ended = client.waitForHandover(id);
  await client.finishHandover(id, { note: "done" });
  assert.equal((await ended).note, "done");
  assert.equal((await ended).id, handover.id);
  await client.requestHandover(id, { reason: "again" });
  assert.equal((await client.cancelHandover(id)).status, "cancelled");
  const parts = client.followSessionLogs(id);
  const first = parts.next();
  await eventually(
    "the session is followed",
    async () => (await client.addSessionLogs(id, output, { proof })).followed,
  );
  assert.deepEqual(await first, {
    done: false,
    value: { text: "one\n", omitted_bytes: 0, first: true },
  });
  await parts.return(undefined);
  assert.equal(await client.getSessionLogs(id), "");
  const stopped = await client.stopSession(id, { force: true });
  assert.equal(stopped.status, "terminated");

  const other = await client.registerWorker({ work_pool_id: "a" });
  await client.deleteWorker(other.worker.id);
  await client.deletePool("a", { force: true });
  const all = operations.filter(({ path }) => HAS_METHODS.test(path))
    .map(({ id }) => id).filter((id) => !WITHOUT_METHOD.includes(id));
  assert.deepEqual([...called].sort(), all.sort());
});

Deno.test("each() iterates over every page of a list", async () => {
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool();
  const made = [];
  for (let i = 0; i < 5; i++) made.push((await api.session()).id);
  const client = createClient({ apiUrl: grid.url });
  const seen = [];
  for await (const { id } of each(client.listSessions, { limit: 2 })) {
    seen.push(id);
  }
  assert.deepEqual(seen, made.toReversed());
  // Filters of lists in addition to limit and cursor, as documented.
  const none = each(client.listSessions, { label: "team=search" });
  assert.deepEqual(await Array.fromAsync(none), []);
});

Deno.test("a problem is thrown as an ApiError with its code and status", async () => {
  await using grid = await testGrid({ listen: true });
  const client = createClient({ apiUrl: `${grid.url}/` });
  await assert.rejects(
    client.getPool("a pool/that is not"),
    (error) =>
      error instanceof ApiError && error.code === "pool_not_found" &&
      error.status === 404,
  );
});

Deno.test("a call to a silent server ends with its timeout or with its signal's reason", async () => {
  using server = startSilentServer();
  const client = createClient({ apiUrl: server.apiUrl, timeoutMs: 60_000 });
  await assert.rejects(
    client.listPools({}, { timeoutMs: 30 }),
    (error) => error instanceof ApiError && error.code === "timeout",
  );
  const stop = new AbortController();
  const called = client.createSession({}, { signal: stop.signal });
  stop.abort(new Error("no longer wanted"));
  await assert.rejects(called, /no longer wanted/);
});

Deno.test("a server that does not run is an ApiError that is marked as unavailable", async () => {
  const apiUrl = `http://127.0.0.1:${await freePort()}`;
  await assert.rejects(
    createClient({ apiUrl }).checkHealth(),
    (error) =>
      error instanceof ApiError && error.code === "unreachable" &&
      error.isUnavailable,
  );
});

Deno.test("an untrusted certificate and an unknown name are explained in the error", async () => {
  await using front = await startTlsFront("http://127.0.0.1:1");
  await assert.rejects(
    createClient({ apiUrl: front.url }).checkHealth(),
    /Cannot reach the server at .*: its TLS certificate is not trusted, expected .*DENO_CERT/,
  );
  await assert.rejects(
    // A label of more than 63 characters is rejected without a DNS query.
    createClient({ apiUrl: `http://${"a".repeat(64)}.invalid` }).checkHealth(),
    /Cannot reach the server at .*: its name cannot be resolved/,
  );
});

Deno.test("an error of the client does not contain the password of the server's URL", async () => {
  const client = createClient({ apiUrl: "http://me:geheim@127.0.0.1:1" });
  await assert.rejects(
    client.checkHealth(),
    (error) => error instanceof ApiError && !error.message.includes("geheim"),
  );
});

Deno.test("the example in the client's documentation runs unchanged and without dependencies", async () => {
  await using grid = await testGrid({ listen: true });
  const api = createApiClient(grid);
  await api.pool();
  const worker = await api.worker();
  const source = await Deno.readTextFile("src/client/client.ts");
  const [, example = ""] = /```ts\n(.*?) \* ```/s.exec(source) ?? [];
  const program = example.replaceAll(/^ \* ?/gm, "")
    .replace(
      "browsergrid/client",
      import.meta.resolve("../../src/client/client.ts"),
    )
    .replace("http://127.0.0.1:8765", grid.url);
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, program);
  const running = new Deno.Command(Deno.execPath(), {
    // Like in another project: only the client is available.
    args: [
      "run",
      "--no-config",
      "--no-npm",
      "--no-remote",
      "--allow-net",
      file,
    ],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const { body: answer } = await api.call(
    "POST",
    `/workerpool/workers/${worker}/claim-session?wait=30`,
  );
  const [claimed] = answer.sessions;
  const endpoint = "ws://127.0.0.1:9/devtools/browser/x";
  await api.report(worker, claimed, "running", { endpoint });
  const { code, stdout, stderr } = await running;
  await Deno.remove(file);
  const decoder = new TextDecoder();
  assert.equal(code, 0, decoder.decode(stderr));
  assert.match(
    decoder.decode(stdout),
    new RegExp(`/sessions/${claimed.id}/cdp`),
  );
});

Deno.test("an error of the client lists the faulty members that the server names", async () => {
  await using grid = await testGrid();
  const client = createClient({
    apiUrl: "http://grid",
    fetch: async (input, init) => {
      const { pathname, search } = new URL(String(input));
      return await grid.request(pathname + search, init);
    },
  });
  const config = { image: "", pull: "often" };
  const error = await client.createPool({
    name: "a",
    provider_type: "docker",
    provider_config: config,
  }).catch((cause) => cause);
  assert.ok(error instanceof ApiError);
  assert.deepEqual(error.faults.map(({ path }) => path), [
    "provider_config.image",
    "provider_config.pull",
  ]);
  assert.match(error.faults[1]?.message ?? "", /missing/);
  const missing = await client.getPool("none").catch((cause) => cause);
  assert.deepEqual(missing.faults, []);
});
