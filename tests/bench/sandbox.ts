/**
 * Measures the cost of isolating a local session: its start, and a CDP round trip through the gateway, each compared
 * with a session that is not isolated on the same machine.
 *
 * Both are timed alternately in one process, so that other load affects both. Prints medians and their ratios; exits
 * with 1 if a ratio exceeds its limit.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import WebSocket from "ws";
import { createClient, type GridClient } from "../../src/client/client.ts";
import { inOwnNetwork, ownNetworkProblem } from "../support/own_network.ts";
import { startProgram } from "../support/program.ts";
import { print, quantile, report } from "./times.ts";

const STARTS = 25;
const START_LIMIT = 1.15;

const TRIPS = 2_000;
const TRIP_LIMIT = 1.3;

const KEY = "admin-key-of-the-measurement";

/** A connection for one call at a time. */
interface Caller extends Disposable {
  call(method: string, params?: object): Promise<void>;
}

const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-bench-" });
let isOk = true;
try {
  const starts = await timedStarts();
  report("start", starts.plain);
  report("start, isolated", starts.isolated);
  compare(starts, START_LIMIT);

  await using grid = startProgram(
    ["serve", "--with-worker", "--port", "0", "--data-dir", dataDir],
    { BROWSERGRID_API_KEY: KEY },
  );
  const [, apiUrl = ""] = await grid.until(/API +(\S+)\/v1/);
  await grid.until(/Connect +ws:\S+/);
  const admin = createClient({ apiUrl, apiKey: KEY });
  const { key } = await admin.createKey({ name: "bench", role: "client" });
  const client = createClient({ apiUrl, apiKey: key });
  using plain = await caller(await connectUrl(admin));
  using isolated = await caller(await connectUrl(client));
  const calls = [
    ["Browser.getVersion"],
    ["Runtime.evaluate", { expression: "1 + 1" }],
  ] as const;
  for (const [method, params] of calls) {
    const trips = { plain: [] as number[], isolated: [] as number[] };
    for (let at = 0; at < TRIPS; at++) {
      for (const [side, each] of Object.entries({ plain, isolated })) {
        const startedAt = performance.now();
        await each.call(method, params);
        const us = (performance.now() - startedAt) * 1_000;
        trips[side as keyof typeof trips].push(us); // One of the two keys above.
      }
    }
    const [one, other] = [trips.plain, trips.isolated].map((times) =>
      quantile(times, 0.5).toFixed(0)
    );
    print(`${method}: p50 ${one} µs, isolated ${other} µs (${TRIPS} each)`);
    compare(trips, TRIP_LIMIT);
  }
} finally {
  await Deno.remove(dataDir, { recursive: true });
}
Deno.exit(isOk ? 0 : 1);

/**
 * Times starts as an ordinary user, so that both sides have the same user and Chromium's own sandbox, which root's
 * browsers have only if they are isolated.
 */
async function timedStarts(): Promise<Record<"plain" | "isolated", number[]>> {
  const args = [String(STARTS)];
  const printed = ownNetworkProblem === undefined
    ? await inOwnNetwork("../bench/sandbox_starts.ts", { args, asRoot: false })
    : await runHere("sandbox_starts.ts", args);
  return JSON.parse(printed);
}

async function runHere(
  program: string,
  args: readonly string[],
): Promise<string> {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", file, ...args],
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout);
}

function compare(
  times: Readonly<Record<"plain" | "isolated", readonly number[]>>,
  limit: number,
): void {
  const ratio = quantile(times.isolated, 0.5) / quantile(times.plain, 0.5);
  print(`ratio of medians: ${ratio.toFixed(2)} (limit ${limit})`);
  isOk &&= ratio <= limit;
}

async function connectUrl(client: GridClient): Promise<string> {
  const session = await client.createSession({}, { waitSeconds: 30 });
  return session.connect_url;
}

/** Connects to a page of the browser at `url`. */
async function caller(url: string): Promise<Caller> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  let settle: (answer: Answer) => void = () => {};
  socket.on("message", (data) => {
    const answer = JSON.parse(String(data));
    if (answer.id !== undefined) settle(answer);
  });
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  let id = 0;
  const ask = (method: string, params: object = {}, sessionId?: string) => {
    const answered = new Promise<Answer>((resolve) => settle = resolve);
    socket.send(JSON.stringify({ id: ++id, method, params, sessionId }));
    return answered;
  };
  const { result: { targetId } } = await ask("Target.createTarget", {
    url: "about:blank",
  });
  const { result: { sessionId } } = await ask("Target.attachToTarget", {
    targetId,
    flatten: true,
  });
  return {
    async call(method, params) {
      const isOfPage = method.startsWith("Runtime.");
      const session = isOfPage ? sessionId : undefined;
      const { error } = await ask(method, params, session);
      if (error) throw new Error(error.message);
    },
    [Symbol.dispose]: () => socket.terminate(),
  };
}

/** The used part of a CDP response. */
interface Answer {
  readonly result: { readonly targetId?: string; readonly sessionId?: string };
  readonly error?: { readonly message: string };
}
