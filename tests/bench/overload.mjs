/**
 * Floods a grid with creates at several times its best rate, in a process of its own (Node), beside a worker's heartbeats
 * and another caller's few creates, and prints what it measured as JSON.
 *
 * Usage: node overload.mjs URL ADMIN_KEY BEST_SECONDS FACTOR SECONDS
 *
 * @module
 */
import process from "node:process";
import { LoadClient } from "./load_client.mjs";

const [url, adminKey, bestSeconds, factor, seconds] = process.argv.slice(2);

/** Requests that are in progress at once while the best rate is measured. */
const CONCURRENCY = 32;
const MAX_CONNECTIONS = 10_000;
const HEARTBEATS_PER_SECOND = 20;
const OTHERS_PER_SECOND = 5;

const client = new LoadClient(url, MAX_CONNECTIONS);
const admin = `x-api-key: ${adminKey}\r\n`;
await call("/v1/workerpool/pools", { name: "load", provider_type: "local" });
const { worker, secret, instance_id } = await call("/v1/workerpool/workers", {
  work_pool_id: "load",
  capacity: 5,
});
const flooding = await createKey("flooding");
const other = await createKey("other");

await findBestRate(2);
const best = await findBestRate(Number(bestSeconds));
const [flood, others, heartbeats] = await Promise.all([
  sendAt(best * Number(factor), () => create(flooding)),
  sendAt(OTHERS_PER_SECOND, () => create(other)),
  sendAt(HEARTBEATS_PER_SECOND, heartbeat),
]);
client.close();
const served = flood.filter(({ status }) => status === 201);
const rejected = flood.filter(({ status }) => status === 503);
const servedInTime = [...flood, ...others].filter(({ status, endedAt }) =>
  status === 201 && endedAt <= Number(seconds) * 1_000
);
process.stdout.write(JSON.stringify({
  best_per_second: best,
  served_per_second: servedInTime.length / Number(seconds),
  offered: flood.length,
  served: served.length,
  rejected: rejected.length,
  failed: flood.length - served.length - rejected.length,
  without_retry_after: rejected.filter(({ retryAfter }) =>
    !(Number(retryAfter) >= 1)
  ).length,
  served_p50_ms: quantile(served, 0.5),
  served_p99_ms: quantile(served, 0.99),
  rejected_p50_ms: quantile(rejected, 0.5),
  rejected_p99_ms: quantile(rejected, 0.99),
  others: others.length,
  others_failed: others.filter(({ status }) => status !== 201).length,
  others_p99_ms: quantile(others, 0.99),
  heartbeats: heartbeats.length,
  heartbeats_failed: heartbeats.filter(({ status }) => status !== 200).length,
  heartbeats_p99_ms: quantile(heartbeats, 0.99),
}));

/** Returns the creates a second with a fixed number in progress. */
async function findBestRate(forSeconds) {
  const startedAt = performance.now();
  let count = 0;
  await Promise.all(Array.from({ length: CONCURRENCY }, async () => {
    while (performance.now() - startedAt < forSeconds * 1_000) {
      const { status } = await create(flooding);
      if (status === 201) count++;
    }
  }));
  return count * 1_000 / (performance.now() - startedAt);
}

/** Sends requests at their moments for the time of the flood, whether earlier ones are answered or not. */
async function sendAt(rate, send) {
  const count = Math.round(rate * Number(seconds));
  const from = performance.now();
  const sent = [];
  for (let index = 0; index < count; index++) {
    const due = from + index * 1_000 / rate;
    const early = due - performance.now();
    if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
    sent.push(
      send().then(({ status, retryAfter }) => {
        const now = performance.now();
        return { status, retryAfter, ms: now - due, endedAt: now - from };
      }),
    );
  }
  return await Promise.all(sent);
}

function create(headers) {
  return client.send("POST", "/v1/sessions", { body: "{}", headers });
}

function heartbeat() {
  return client.send("PUT", `/v1/workerpool/workers/${worker.id}/heartbeat`, {
    body: '{"status":"online","current_load":0,"sessions":[]}',
    headers: `${admin}x-browsergrid-secret: ${secret}\r\n` +
      `x-browsergrid-instance: ${instance_id}\r\n`,
  });
}

async function createKey(name) {
  const { key } = await call("/v1/keys", { name, role: "client" });
  return `x-api-key: ${key}\r\n`;
}

async function call(path, body) {
  const { status, text } = await client.send("POST", path, {
    body: JSON.stringify(body),
    headers: admin,
    wantsBody: true,
  });
  if (status >= 300 || status === 0) {
    throw new Error(`POST ${path}: ${status} ${text}`);
  }
  return JSON.parse(text);
}

function quantile(responses, share) {
  const sorted = responses.map(({ ms }) => ms).sort((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
}
