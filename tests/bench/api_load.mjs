/**
 * Sends requests to a grid at a fixed rate, in a process of its own (Node), and prints what it measured as JSON.
 *
 * Each request has its moment, whether earlier ones were answered or not, and its time counts from that moment: a
 * server
 * that hangs is charged with every request that was due in that time ("coordinated omission").
 *
 * Usage: node api_load.mjs URL RATE SECONDS
 */
import http from "node:http";
import process from "node:process";

const [url, rateText, secondsText] = process.argv.slice(2);
const rate = Number(rateText);
const total = rate * Number(secondsText);
const agent = new http.Agent({ keepAlive: true, maxSockets: 128 });
const { hostname, port } = new URL(url);

const served = [];
const pending = [];
const workers = [];
/** Proof headers of each worker, by its id. */
const proofs = new Map();

/** Shares of a thousand, and what each asks. */
const MIX = [
  [400, "get session", () => call("GET", `/v1/sessions/${any(served)}`)],
  [100, "list sessions", () => call("GET", "/v1/sessions?limit=20")],
  [100, "get pool", () => call("GET", "/v1/workerpool/pools/waiting")],
  [150, "create session", createSession],
  [
    150,
    "delete session",
    () => call("DELETE", `/v1/sessions/${take(pending)}`),
  ],
  [75, "heartbeat", heartbeat],
  [25, "claim", claim],
];

await prepare();
// The first requests find nothing compiled yet.
await run(rate * 3, () => {});
const times = new Map(MIX.map(([, name]) => [name, []]));
const failures = new Map();
const startedAt = performance.now();
await run(total, (name, ms, status) => {
  times.get(name).push(ms);
  if (status >= 400) {
    failures.set(
      `${name} ${status}`,
      (failures.get(`${name} ${status}`) ?? 0) + 1,
    );
  }
});
const seconds = (performance.now() - startedAt) / 1_000;
agent.destroy();
const all = [...times.values()].flat();
process.stdout.write(JSON.stringify({
  requests: all.length,
  per_second: all.length / seconds,
  ...quantiles(all),
  failures: Object.fromEntries(failures),
  by_request: Object.fromEntries(
    [...times].map((
      [name, each],
    ) => [name, { count: each.length, ...quantiles(each) }]),
  ),
}));

async function prepare() {
  for (const name of ["served", "waiting", "claimed"]) {
    await call("POST", "/v1/workerpool/pools", {
      name,
      provider_type: "local",
    });
  }
  for (let index = 0; index < 20; index++) {
    const { worker } = await register("served", 5);
    const sessions = [];
    for (let count = 0; count < 5; count++) {
      await call("POST", "/v1/sessions", { work_pool_id: "served" });
    }
    const { sessions: claimed } = await call(
      "POST",
      `/v1/workerpool/workers/${worker.id}/claim-session`,
      { count: 5 },
    );
    for (const { id, fencing_token } of claimed) {
      served.push(id);
      sessions.push({
        session_id: id,
        fencing_token,
        status: "running",
        endpoint: "ws://127.0.0.1:1/devtools/browser/x",
      });
    }
    workers.push({ id: worker.id, sessions });
  }
  const { worker } = await register("claimed", 10_000);
  workers.claimer = worker.id;
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
  proofs.set(answer.worker.id, {
    "x-browsergrid-secret": answer.secret,
    "x-browsergrid-instance": answer.instance_id,
  });
  return answer;
}

async function createSession() {
  const isClaimed = Math.random() < 1 / 6;
  const session = await call("POST", "/v1/sessions", {
    work_pool_id: isClaimed ? "claimed" : "waiting",
    labels: { team: "search" },
  });
  if (!isClaimed) pending.push(session.id);
  return session;
}

function heartbeat() {
  const { id, sessions } = any(workers);
  return call("PUT", `/v1/workerpool/workers/${id}/heartbeat`, {
    status: "busy",
    current_load: 5,
    sessions,
  });
}

async function claim() {
  const answer = await call(
    "POST",
    `/v1/workerpool/workers/${workers.claimer}/claim-session`,
    { count: 1 },
  );
  for (const { id } of answer.sessions ?? []) pending.push(id);
  return answer;
}

/** Asks `count` times at the rate; `note` hears of each. */
async function run(count, note) {
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

function take(list) {
  return list.shift();
}

/** Numbers of its answer, with the status as `status`. */
function call(method, path, body) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = http.request({
      agent,
      hostname,
      port,
      method,
      path,
      headers: {
        ...proofs.get(path.split("/")[4]),
        ...(text === undefined ? {} : {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(text),
        }),
      },
    }, (response) => {
      let answer = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => answer += chunk);
      response.on("end", () => {
        resolve({
          ...(answer === "" ? {} : JSON.parse(answer)),
          status: response.statusCode,
        });
      });
    });
    request.on("error", (error) => {
      // The server has closed a kept connection in the same moment.
      const isStale = request.reusedSocket && error.code === "ECONNRESET";
      if (isStale) resolve(call(method, path, body));
      else reject(error);
    });
    request.end(text);
  });
}

function quantiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) =>
    Math.round(
      (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ??
        0) * 10,
    ) / 10;
  return { p50_ms: at(0.5), p99_ms: at(0.99), max_ms: at(1) };
}
