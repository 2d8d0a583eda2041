/**
 * Subscribers of a server's events, and the load that makes the events. Node.js, because it is not the runtime of the
 * server.
 *
 * Arguments: URL of the server, subscribers, events a second, seconds. Before the streams are opened it prints "alone",
 * when they have received all events "followed"; each time it continues after a line on stdin, the second time when the
 * server has dropped the stream that is not read. At the end it prints the result as JSON.
 */
import { Agent, request } from "node:http";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const [url, subscriberText, rateText, secondsText] = process.argv.slice(2);
const subscribers = Number(subscriberText);
const rate = Number(rateText);
const seconds = Number(secondsText);

/** Events that are recorded before: more than a connection takes while it is not read. */
const HISTORY = 20_000;

/** Time for which the same events are recorded without a subscriber. */
const ALONE_SECONDS = 10;

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

function send(method, path, body) {
  return new Promise((resolve, reject) => {
    const sent = request(url + path, {
      method,
      agent,
      headers: { "content-type": "application/json" },
    }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode < 300) resolve(JSON.parse(text));
        else reject(new Error(`${response.statusCode} ${text}`));
      });
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Opens a stream after an event, and calls `onMessage` with each message. */
function open(after, onMessage) {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/v1/events/stream?last_event_id=${after}`, {
      agent: false,
    }, (response) => {
      if (response.statusCode !== 200) {
        reject(new Error(`Stream: ${response.statusCode}`));
      }
      response.on("error", () => {});
      resolve({
        close: () => sent.destroy(),
        /** Resolves when the server has ended the stream. */
        read() {
          let rest = "";
          response.setEncoding("utf8");
          response.on("data", (chunk) => {
            const messages = (rest + chunk).split("\n\n");
            rest = messages.pop();
            for (const message of messages) onMessage(message);
          });
          return new Promise((end) => response.on("close", end));
        },
      });
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** A session has two events: it is created, and assigned to the pool. */
async function createSessions(count, perSecond = Infinity) {
  const began = performance.now();
  const waiting = new Set();
  for (let at = 0; at < count; at++) {
    const due = began + at / perSecond * 1_000;
    const ms = due - performance.now();
    if (ms > 1) await sleep(ms);
    const sent = send("POST", "/v1/sessions", {}).finally(() =>
      waiting.delete(sent)
    );
    waiting.add(sent);
    if (waiting.size >= 32) await Promise.race(waiting);
  }
  await Promise.all(waiting);
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Prints a step, and waits for the line after which the next one begins. */
async function pauseAfter(step) {
  process.stdout.write(`${step}\n`);
  await lines.next();
}

async function readNewest() {
  const path = "/v1/events?order=desc&limit=1";
  return (await send("GET", path)).items[0].sequence;
}

await send("POST", "/v1/workerpool/pools", {
  name: "pool",
  provider_type: "local",
});
await createSessions(HISTORY / 2);
// The server returns the memory of the history.
await sleep(5_000);
await createSessions(rate * ALONE_SECONDS / 2, rate / 2);
await pauseAfter("alone");
const start = await readNewest();

const delays = [];
const received = Array.from({ length: subscribers }, () => []);
const streams = await Promise.all(
  received.map((sequences) =>
    open(start, (message) => {
      const [, id, data] = /^id: (\d+)\nevent: .*\ndata: (.*)$/.exec(message) ??
        [];
      if (id === undefined) return;
      sequences.push(Number(id));
      delays.push(Date.now() - Date.parse(JSON.parse(data).timestamp));
    })
  ),
);
for (const stream of streams) void stream.read();
let last = "";
const stalled = await open(0, (message) => last = message);
await createSessions(rate * seconds / 2, rate / 2);
const end = await readNewest();
for (let at = 0; at < 100; at++) {
  if (received.every((sequences) => sequences.at(-1) >= end)) break;
  await sleep(100);
}
await pauseAfter("followed");
for (const stream of streams) stream.close();
await Promise.race([stalled.read(), sleep(10_000)]);
stalled.close();
agent.destroy();

const expected = end - start;
const wrong = received.reduce((sum, sequences) => {
  const unique = new Set(sequences);
  const isOrdered = sequences.every((each, at) =>
    at === 0 || each > sequences[at - 1]
  );
  return sum + (expected - unique.size) + (sequences.length - unique.size) +
    (isOrdered ? 0 : 1);
}, 0);
delays.sort((a, b) => a - b);
process.stdin.destroy();
process.stdout.write(
  JSON.stringify({
    wrong,
    delay_p50_ms: delays[Math.floor(delays.length * 0.5)],
    delay_p99_ms: delays[Math.floor(delays.length * 0.99)],
    received: delays.length,
    dropped: Number(/^event: error\ndata: .*event_stream_stalled/.test(last)),
  }) + "\n",
);
