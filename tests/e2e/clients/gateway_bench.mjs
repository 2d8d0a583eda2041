// Clients of the gateway's benchmark, in a process of their own. Prints what they measure as one line of JSON.
// Arguments: measurement, its options as JSON: {"direct":URL,"gateway":URL,…}, or
// {"url":URL,"count":CLIENTS,"wave":CLIENTS} of a crowd, {"url":URL,"seconds":SECONDS,"pause_ms":MS} of paced
// trips.
//
// Each measurement takes its sides in turn, a short block at a time: whatever else the machine does hits all alike.
import net from "node:net";
import process from "node:process";
import WebSocket from "ws";

const MEGABYTE = 2 ** 20;
const HANDSHAKE = "Connection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

const MEASUREMENTS = {
  version: () =>
    trips({ trips: 2_000, warmUp: 1_000, block: 50 }, async (url) => {
      const { call } = await browser(url);
      return () => call("Browser.getVersion");
    }),
  evaluate: () =>
    trips({ trips: 5_000, warmUp: 1_000, block: 50 }, async (url) => {
      const page = await openPage(url);
      return () => page("1");
    }),
  interrupted: () =>
    trips({ trips: 3_000, warmUp: 500, block: 50 }, async (url) => {
      const page = await openPage(url);
      return () => page("1");
    }),
  uploads: () =>
    trips({ trips: 80, warmUp: 8, block: 4 }, async (url) => {
      const page = await openPage(url);
      const expression = `"${"x".repeat(MEGABYTE)}".length`;
      return () => page(expression);
    }),
  paced,
  megabytes: () =>
    trips({ trips: 80, warmUp: 8, block: 4 }, async (url) => {
      const page = await openPage(url);
      return () => page(`"x".repeat(${MEGABYTE})`);
    }),
  messages: () => trips({ trips: 12, warmUp: 3, block: 1 }, messages),
  bytes: () => trips({ trips: 12, warmUp: 3, block: 1 }, bytes),
  crowd,
};

const [measurement, json] = process.argv.slice(-2);
const options = JSON.parse(json);
const result = await MEASUREMENTS[measurement]();
await new Promise((resolve) =>
  process.stdout.write(`${JSON.stringify(result)}\n`, resolve)
);
// The crowd stays until the measuring process ends it.
if (measurement === "crowd") await new Promise(() => process.stdin.resume());
process.exit();

/** Milliseconds of each trip of a short message to a synthetic browser, for some seconds and with pauses between. */
async function paced() {
  const { url, seconds, pause_ms } = options;
  const socket = await openSocket(url);
  const times = [];
  const endsAt = performance.now() + seconds * 1_000;
  while (performance.now() < endsAt) {
    const startedAt = performance.now();
    socket.send("trip");
    await new Promise((resolve) => socket.once("message", resolve));
    times.push(performance.now() - startedAt);
    if (pause_ms > 0) {
      await new Promise((resolve) => setTimeout(resolve, pause_ms));
    }
  }
  return { times };
}

/** Milliseconds of each trip, by side. */
async function trips({ trips, warmUp, block }, open) {
  const sides = [];
  for (const [name, url] of Object.entries(options)) {
    sides.push({ name, go: await open(url), times: [] });
  }
  for (let done = -warmUp; done < trips; done += block) {
    for (const { go, times } of sides) {
      for (let count = 0; count < block; count++) {
        const startedAt = performance.now();
        await go();
        if (done >= 0) times.push(performance.now() - startedAt);
      }
    }
  }
  return Object.fromEntries(sides.map(({ name, times }) => [name, times]));
}

async function openSocket(url) {
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    maxPayload: 256 * MEGABYTE,
  });
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  return socket;
}

/** A CDP connection. */
async function browser(url) {
  const socket = await openSocket(url);
  const waiting = new Map();
  let last = 0;
  socket.on("message", (data) => {
    const { id, result } = JSON.parse(data.toString());
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  return {
    call: (method, params = {}, sessionId = undefined) =>
      new Promise((resolve) => {
        waiting.set(++last, resolve);
        socket.send(JSON.stringify({ id: last, method, params, sessionId }));
      }),
  };
}

/** Evaluates in a page of its own. */
async function openPage(url) {
  const { call } = await browser(url);
  const { targetId } = await call("Target.createTarget", {
    url: "about:blank",
  });
  const { sessionId } = await call("Target.attachToTarget", {
    targetId,
    flatten: true,
  });
  return async (expression) => {
    const { result } = await call(
      "Runtime.evaluate",
      { expression, returnByValue: true },
      sessionId,
    );
    if (result.value === undefined) throw new Error("no value");
  };
}

/** Takes 64 MB of JSON messages, and parses each, as every CDP client does. */
async function messages(url) {
  const socket = await openSocket(url);
  return () =>
    new Promise((resolve) => {
      let left = 64 * MEGABYTE;
      function onMessage(data) {
        if (JSON.parse(data.toString()).params === undefined) throw data;
        left -= data.length;
        if (left > 0) return;
        socket.off("message", onMessage);
        resolve();
      }
      socket.on("message", onMessage);
      socket.send(JSON.stringify({ total: left, message: MEGABYTE }));
    });
}

/** Receives 128 MB without reading the content. */
async function bytes(url) {
  const { socket } = await handshake(url);
  const request = Buffer.from(
    JSON.stringify({ total: 128 * MEGABYTE, message: MEGABYTE }),
  );
  return () =>
    new Promise((resolve) => {
      let left = 128 * MEGABYTE;
      function onData(chunk) {
        left -= chunk.length;
        if (left > 0) return;
        socket.off("data", onData);
        resolve();
      }
      socket.on("data", onData);
      // A mask of zeros leaves it as it is.
      const head = Buffer.from([0x81, 0x80 | request.length, 0, 0, 0, 0]);
      socket.write(Buffer.concat([head, request]));
    });
}

/**
 * Connects `count` clients, `wave` of them in each second, and has each hear its own voice. How many failed, and how
 * long
 * the slowest wave took.
 */
async function crowd() {
  const { url, count, wave } = options;
  let failed = 0;
  let slowest = 0;
  for (let connected = 0; connected < count; connected += wave) {
    const startedAt = performance.now();
    const second = new Promise((resolve) => setTimeout(resolve, 1_000));
    const clients = await Promise.allSettled(
      Array.from({ length: wave }, () => voice(url)),
    );
    failed += clients.filter(({ status }) => status === "rejected").length;
    slowest = Math.max(slowest, performance.now() - startedAt);
    await second;
  }
  return { failed, slowest_ms: slowest };
}

async function voice(url) {
  const { socket } = await handshake(url);
  socket.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61]));
  await new Promise((resolve, reject) => {
    socket.once("data", resolve);
    socket.once("close", reject);
  });
}

/** A socket that has been answered with 101. */
function handshake(url) {
  const { hostname, port, pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = net.connect({
      port: Number(port),
      host: hostname,
      noDelay: true,
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed")));
    socket.once("data", (answer) => {
      if (/^HTTP\/1\.1 101 /.test(answer)) resolve({ socket });
      else reject(new Error(answer.toString()));
    });
    socket.write(
      `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n${HANDSHAKE}\r\n`,
    );
  });
}
