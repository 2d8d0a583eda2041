/**
 * Workers that poll for sessions, and a client that creates sessions at a fixed rate, in a process of its own (Node).
 * Prints what it measured as JSON.
 *
 * Each session has its moment, whether earlier requests were answered or not, and both times count from that moment: the
 * time to the response of its creation, and the time to the response of the claim that contains it. A server that hangs
 * is charged with every session that was due in that time ("coordinated omission").
 *
 * Like the program's own worker, a worker has one claim in flight for the room that it has, and replaces the claim that
 * it sent while it was full as soon as it has room. It reports a claimed session as completed after a second, and sends a
 * heartbeat every ten seconds. Unlike the program's own worker it starts no browser and reports none.
 *
 * Workers and creates use the servers in turn.
 *
 * Usage: node claims_load.mjs URL[,URL…] POOLS WORKERS_PER_POOL RATE SECONDS
 */
import { randomUUID } from "node:crypto";
import http from "node:http";
import process from "node:process";

const [urls, ...numbers] = process.argv.slice(2);
const servers = urls.split(",").map((url) => new URL(url));
let turn = 0;
const [pools, perPool, rate, seconds] = numbers.map(Number);

/** Sessions that a worker holds at most. */
const CAPACITY = 5;
/** Sessions of one claim at most. */
const MAX_PER_CLAIM = 4;
/** Time from the start of a session to its end. */
const SESSION_MS = 1_000;
const HEARTBEAT_MS = 10_000;
const CLAIM_WAIT_SECONDS = 25;
/** Sessions before those that are measured, of a server with nothing compiled yet. */
const WARM_UP = rate * 5;
/** Longest wait for the claims of the last sessions. */
const END_MS = 15_000;

const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });

/** Due moments of sessions by their label, until they are claimed. */
const due = new Map();
const creates = [];
const claims = [];
/** Claims until a second after the last session was due. */
let inTime = 0;
let endsAt = 0;
const failures = {};
const counts = { claim_requests: 0, heartbeats: 0 };
let isEnding = false;
let claimed = () => {};

const poolNames = await Promise.all(
  Array.from({ length: pools }, async (_, index) => {
    const name = `claims-${index}`;
    await call("POST", "/v1/workerpool/pools", {
      name,
      provider_type: "local",
    });
    return name;
  }),
);
const workers = [];
for (const name of poolNames) {
  workers.push(
    ...await Promise.all(Array.from({ length: perPool }, () => register(name))),
  );
}
for (const worker of workers) void serve(worker);
// All workers wait before the first session is created.
while (counts.claim_requests < workers.length) await sleep(50);
await sleep(1_000);

await create(WARM_UP, "warm");
await settled();
creates.length = claims.length = inTime = 0;
for (const name of Object.keys(counts)) counts[name] = 0;
const cpuBefore = process.cpuUsage();
const startedAt = performance.now();
process.stderr.write("measuring\n");
await create(rate * seconds, "measured");
const missing = await settled();
const lastAt = performance.now();
const { user, system } = process.cpuUsage(cpuBefore);
isEnding = true;
process.stdout.write(JSON.stringify({
  claimed: inTime,
  missing,
  create: quantiles(creates),
  claim: quantiles(claims),
  failures,
  ...counts,
  load_cores: (user + system) / 1_000 / (lastAt - startedAt),
  seconds: (lastAt - startedAt) / 1_000,
}));
process.exit(0);

/** Registers a worker and sends its first heartbeat. */
async function register(pool) {
  const { body } = await call("POST", "/v1/workerpool/workers", {
    work_pool_id: pool,
    capacity: CAPACITY,
  });
  const worker = {
    server: nextServer(),
    path: `/v1/workerpool/workers/${body.worker.id}`,
    proof: {
      "x-browsergrid-secret": body.secret,
      "x-browsergrid-instance": body.instance_id,
    },
    /** Reports by session. */
    held: new Map(),
    /** Ends the claim in flight if it was sent without room. */
    fullClaim: undefined,
  };
  return worker;
}

/** Claims and sends heartbeats until the end. */
async function serve(worker) {
  setTimeout(() => {
    heartbeat(worker);
    setInterval(() => heartbeat(worker), HEARTBEAT_MS);
  }, Math.random() * HEARTBEAT_MS);
  while (!isEnding) {
    const room = CAPACITY - worker.held.size;
    counts.claim_requests++;
    worker.fullClaim = room === 0 ? new AbortController() : undefined;
    const { status, body } = await call(
      "POST",
      `${worker.path}/claim-session?wait=${CLAIM_WAIT_SECONDS}`,
      {
        request_id: randomUUID(),
        room,
        count: Math.max(1, Math.min(room, MAX_PER_CLAIM)),
        obeying: [],
      },
      worker.proof,
      worker.server,
      worker.fullClaim?.signal,
    );
    const now = performance.now();
    const sessions = body?.sessions ?? [];
    // Nothing but a failed request comes back at once.
    if (status >= 400) await sleep(100);
    for (const session of sessions) start(worker, session, now);
  }
}

function start(worker, { id, fencing_token, environment }, now) {
  const at = due.get(environment.SESSION);
  if (at !== undefined) {
    due.delete(environment.SESSION);
    claims.push(now - at);
    if (now <= endsAt + 1_000) inTime++;
    claimed();
  }
  worker.held.set(id, {
    session_id: id,
    fencing_token,
    status: "starting",
  });
  setTimeout(() => {
    worker.held.get(id).status = "completed";
    heartbeat(worker);
  }, SESSION_MS);
}

/** Sends the worker's reports; those of ended sessions are left out once they were accepted. */
async function heartbeat(worker) {
  const reports = [...worker.held.values()].map((each) => ({ ...each }));
  counts.heartbeats++;
  const { status } = await call(
    "PUT",
    `${worker.path}/heartbeat`,
    {
      status: "online",
      current_load: worker.held.size,
      sessions: reports,
    },
    worker.proof,
    worker.server,
  );
  if (status !== 200) return;
  for (const { session_id, status } of reports) {
    if (status === "completed") worker.held.delete(session_id);
  }
  if (worker.held.size < CAPACITY) worker.fullClaim?.abort();
}

/** Creates `count` sessions at the rate, in all pools in turn. */
async function create(count, name) {
  const requests = [];
  const from = performance.now();
  endsAt = from + count * 1_000 / rate;
  for (let index = 0; index < count; index++) {
    const moment = from + index * 1_000 / rate;
    const early = moment - performance.now();
    if (early > 1) await sleep(early);
    const label = `${name}-${index}`;
    due.set(label, moment);
    requests.push(
      call("POST", "/v1/sessions", {
        work_pool_id: poolNames[index % pools],
        environment: { SESSION: label },
      }).then(({ status }) => {
        creates.push(performance.now() - moment);
        if (status >= 400) due.delete(label);
      }),
    );
  }
  await Promise.all(requests);
}

/** Waits until every created session was claimed. Returns the number of those that were not in time. */
async function settled() {
  const until = performance.now() + END_MS;
  while (due.size > 0 && performance.now() < until) {
    await new Promise((resolve) => {
      claimed = resolve;
      setTimeout(resolve, 100);
    });
  }
  const missing = due.size;
  due.clear();
  return missing;
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function call(
  method,
  path,
  body,
  headers = {},
  server = nextServer(),
  signal = undefined,
) {
  const { hostname, port } = server;
  const text = JSON.stringify(body);
  return new Promise((resolve) => {
    const request = http.request({
      agent,
      signal,
      hostname,
      port,
      method,
      path,
      headers: {
        ...headers,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(text),
      },
    }, (response) => {
      let answer = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => answer += chunk);
      response.on("end", () => {
        const { statusCode: status } = response;
        if (status >= 400) countFailure(`${method} ${status}`);
        resolve({
          status,
          body: answer === "" ? undefined : JSON.parse(answer),
        });
      });
    });
    request.on("error", (error) => {
      if (signal?.aborted) return resolve({});
      // The server has closed a kept connection in the same moment.
      if (request.reusedSocket && error.code === "ECONNRESET") {
        return resolve(call(method, path, body, headers, server, signal));
      }
      countFailure(`${method} ${error.code}`);
      resolve({ status: 599 });
    });
    request.end(text);
  });
}

function nextServer() {
  return servers[turn++ % servers.length];
}

function countFailure(name) {
  failures[name] = (failures[name] ?? 0) + 1;
}

function quantiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) =>
    Math.round(
      (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ??
        0) * 10,
    ) / 10;
  return { p50_ms: at(0.5), p90_ms: at(0.9), p99_ms: at(0.99), max_ms: at(1) };
}
