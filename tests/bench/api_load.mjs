/**
 * Sends a mix of API requests at fixed rates, in a process of its own (Node), and prints what it measured.
 *
 * Each request has its moment, whether earlier ones were answered or not, and its time counts from that moment: a server
 * that hangs is charged with every request that was due in that time ("coordinated omission").
 *
 * Usage: node api_load.mjs URL [ONLY]. Then each line of stdin, `{"rate": …, "seconds": …}`, is a run, answered by a line
 * of JSON. With ONLY, a name of the mix, all requests are of this kind.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { LoadClient } from "./load_client.mjs";

const MAX_CONNECTIONS = 128;

const [url, only] = process.argv.slice(2);
const client = new LoadClient(url, MAX_CONNECTIONS);

const served = [];
const pending = [];
const workers = [];
/** Proof headers of each worker, by its id. */
const proofs = new Map();
let claimer = "";

/** Shares of a thousand, and what each asks. */
const MIX = [
  [400, "get session", () => client.send("GET", `/v1/sessions/${any(served)}`)],
  [100, "list sessions", () => client.send("GET", "/v1/sessions?limit=20")],
  [
    100,
    "get pool",
    () => client.send("GET", "/v1/workerpool/pools/waiting"),
  ],
  [150, "create session", createSession],
  [150, "delete session", deleteSession],
  [75, "heartbeat", heartbeat],
  [25, "claim", claim],
].map(([share, name, ask]) => [
  only === undefined ? share : name === only ? 1_000 : 0,
  name,
  ask,
]);

await prepare();
process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  const { rate, seconds } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await measure(rate, seconds))}\n`);
}
client.close();

async function measure(rate, seconds) {
  const times = new Map(MIX.map(([, name]) => [name, []]));
  const failures = {};
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await run(rate, rate * seconds, (name, ms, status) => {
    times.get(name).push(ms);
    if (status >= 200 && status < 400) return;
    failures[`${name} ${status}`] = (failures[`${name} ${status}`] ?? 0) + 1;
  });
  const took = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const all = [...times.values()].flat();
  return {
    requests: all.length,
    per_second: all.length / took,
    ...quantiles(all),
    failures,
    by_request: Object.fromEntries(
      [...times].filter(([, each]) => each.length > 0).map((
        [name, each],
      ) => [name, { count: each.length, ...quantiles(each) }]),
    ),
    load_cpu_share: (user + system) / 1e6 / took,
  };
}

async function prepare() {
  for (const name of ["served", "waiting", "claimed"]) {
    await call("POST", "/v1/workerpool/pools", {
      name,
      provider_type: "local",
    });
  }
  for (let index = 0; index < 20; index++) {
    const { worker } = await register("served", 5);
    for (let count = 0; count < 5; count++) {
      await call("POST", "/v1/sessions", { work_pool_id: "served" });
    }
    const { sessions: claimed } = await call(
      "POST",
      `/v1/workerpool/workers/${worker.id}/claim-session`,
      { count: 5 },
    );
    served.push(...claimed.map(({ id }) => id));
    const sessions = claimed.map(({ id, fencing_token }) => ({
      session_id: id,
      fencing_token,
      status: "running",
      endpoint: "ws://127.0.0.1:1/devtools/browser/x",
    }));
    workers.push({ id: worker.id, sessions });
  }
  const { worker } = await register("claimed", 10_000);
  claimer = worker.id;
  for (let count = 0; count < 500; count++) {
    const { id } = await call("POST", "/v1/sessions", {
      work_pool_id: "waiting",
    });
    pending.push(id);
  }
}

/** Registers a worker; its later calls send the proof. */
async function register(work_pool_id, capacity) {
  const answer = await call("POST", "/v1/workerpool/workers", {
    work_pool_id,
    capacity,
  });
  proofs.set(
    answer.worker.id,
    `x-browsergrid-secret: ${answer.secret}\r\n` +
      `x-browsergrid-instance: ${answer.instance_id}\r\n`,
  );
  return answer;
}

async function createSession() {
  const isClaimed = Math.random() < 1 / 6;
  const response = await client.send("POST", "/v1/sessions", {
    body: JSON.stringify({
      work_pool_id: isClaimed ? "claimed" : "waiting",
      labels: { team: "search" },
    }),
    wantsBody: true,
  });
  if (!isClaimed && response.status === 201) pending.push(readId(response));
  return response;
}

function deleteSession() {
  const id = pending.shift();
  return id === undefined
    ? createSession()
    : client.send("DELETE", `/v1/sessions/${id}`);
}

function heartbeat() {
  const { id, sessions } = any(workers);
  return client.send("PUT", `/v1/workerpool/workers/${id}/heartbeat`, {
    body: JSON.stringify({ status: "busy", current_load: 5, sessions }),
    headers: proofs.get(id),
  });
}

async function claim() {
  const response = await client.send(
    "POST",
    `/v1/workerpool/workers/${claimer}/claim-session`,
    { body: '{"count":1}', headers: proofs.get(claimer), wantsBody: true },
  );
  if (response.status !== 200) return response;
  for (const { id } of JSON.parse(response.text).sessions) pending.push(id);
  return response;
}

/** The first id of the body, without the cost of parsing it. */
function readId({ text }) {
  return /"id":"([^"]+)"/.exec(text)?.[1];
}

/** Asks `count` times at the rate; `note` hears of each. */
async function run(rate, count, note) {
  const asks = [];
  const from = performance.now();
  for (let index = 0; index < count; index++) {
    const due = from + index * 1_000 / rate;
    const early = due - performance.now();
    if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
    const [, name, ask] = chosen(index);
    asks.push(
      ask().then(({ status }) => note(name, performance.now() - due, status)),
    );
  }
  await Promise.all(asks);
}

/** The same mix in every run, well stirred: 617 and 1000 have no common divisor. */
function chosen(index) {
  let at = (index * 617) % 1_000;
  return MIX.find(([share]) => (at -= share) < 0);
}

function any(list) {
  return list[Math.floor(Math.random() * list.length)];
}

async function call(method, path, body) {
  const id = path.split("/")[4];
  const { status, text } = await client.send(method, path, {
    body: JSON.stringify(body),
    headers: proofs.get(id) ?? "",
    wantsBody: true,
  });
  if (status < 200 || status >= 300) {
    throw new Error(`${method} ${path}: ${status} ${text}`);
  }
  return text === "" ? {} : JSON.parse(text);
}

function quantiles(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) =>
    Math.round(
      (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ??
        0) * 10,
    ) / 10;
  return { p50_ms: at(0.5), p99_ms: at(0.99), max_ms: at(1) };
}
