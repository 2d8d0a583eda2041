import { z } from "zod";
import { fileURLToPath } from "node:url";
import WebSocket from "ws";
import { createClient, type GridClient } from "../../src/client/client.ts";
import { inOwnNetwork, ownNetworkProblem } from "../support/own_network.ts";
import { startGrid } from "./bench_grid.ts";
import { defineBenchmark } from "./benchmark.ts";
import { MIN_RUNS } from "./figure.ts";
import { quantile } from "./times.ts";

const STARTS = 10;
const TRIPS = 1_000;

const KEY = "admin-key-of-the-measurement";

const timesSchema = z.object({
  plain: z.array(z.number()),
  isolated: z.array(z.number()),
});

type Times = z.infer<typeof timesSchema>;

/** A connection for one call at a time. */
interface Caller extends Disposable {
  call(method: string, params?: object): Promise<void>;
}

/** The used part of a CDP response. */
interface CdpResponse {
  readonly result: { readonly targetId?: string; readonly sessionId?: string };
  readonly error?: { readonly message: string };
}

/** The cost of isolating a local session: its start, and a round trip through the gateway. */
export const benchmark = defineBenchmark({
  title: "Isolation of local browsers",
  method:
    `In each run, ${STARTS} browsers are started with and without isolation, in turn and as the same user. Then ${TRIPS} calls are sent to an isolated browser and to one that is not, in turn, both through the gateway.`,
  figures: {
    isolated_start: {
      title: "start of an isolated browser ÷ plain",
      unit: "ratio",
      limit: { atMost: 1.15 },
      definition: "Median time until the browser's address is known.",
    },
    isolated_version: {
      title: "Browser.getVersion, isolated ÷ plain",
      unit: "ratio",
      limit: { atMost: 1.3 },
      definition: "Median round trip to the browser process.",
    },
    isolated_evaluate: {
      title: "Runtime.evaluate, isolated ÷ plain",
      unit: "ratio",
      limit: { atMost: 1.3 },
      definition: "Median round trip to a page, with the expression `1 + 1`.",
    },
  },
  async *measure() {
    for (let run = 0; run < MIN_RUNS; run++) {
      yield { isolated_start: compare(await timeStarts()) };
    }
    await using grid = await startGrid({ env: { BROWSERGRID_API_KEY: KEY } });
    const admin = createClient({ apiUrl: grid.url, apiKey: KEY });
    const { key } = await admin.createKey({ name: "bench", role: "client" });
    const client = createClient({ apiUrl: grid.url, apiKey: key });
    using plain = await openPage(await createSession(admin));
    using isolated = await openPage(await createSession(client));
    const sides = { plain, isolated };
    for (let run = 0; run < MIN_RUNS; run++) {
      const version = await timeCalls(sides, "Browser.getVersion");
      const evaluate = await timeCalls(sides, "Runtime.evaluate", {
        expression: "1 + 1",
      });
      yield {
        isolated_version: compare(version),
        isolated_evaluate: compare(evaluate),
      };
    }
  },
});

/**
 * Times starts as an ordinary user, so that both sides have the same user and Chromium's own sandbox, which root's
 * browsers have only if they are isolated.
 */
async function timeStarts(): Promise<Times> {
  const args = [String(STARTS)];
  const printed = ownNetworkProblem === undefined
    ? await inOwnNetwork("../bench/sandbox_starts.ts", { args, asRoot: false })
    : await runHere("sandbox_starts.ts", args);
  return timesSchema.parse(JSON.parse(printed));
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

/** Times {@linkcode TRIPS} calls to each side, in turn. */
async function timeCalls(
  { plain, isolated }: Readonly<Record<keyof Times, Caller>>,
  method: string,
  params?: object,
): Promise<Times> {
  const times: Times = { plain: [], isolated: [] };
  for (let trip = 0; trip < TRIPS; trip++) {
    times.plain.push(await timeCall(plain, method, params));
    times.isolated.push(await timeCall(isolated, method, params));
  }
  return times;
}

async function timeCall(
  caller: Caller,
  method: string,
  params?: object,
): Promise<number> {
  const startedAt = performance.now();
  await caller.call(method, params);
  return performance.now() - startedAt;
}

function compare({ plain, isolated }: Times): number {
  return quantile(isolated, 0.5) / quantile(plain, 0.5);
}

async function createSession(client: GridClient): Promise<string> {
  const session = await client.createSession({}, { waitSeconds: 30 });
  return session.connect_url;
}

/** Connects to a page of the browser at `url`. */
async function openPage(url: string): Promise<Caller> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  let settle: (response: CdpResponse) => void = () => {};
  socket.on("message", (data) => {
    const response = JSON.parse(String(data));
    if (response.id !== undefined) settle(response);
  });
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  let id = 0;
  const send = (method: string, params: object = {}, sessionId?: string) => {
    const received = new Promise<CdpResponse>((resolve) => settle = resolve);
    socket.send(JSON.stringify({ id: ++id, method, params, sessionId }));
    return received;
  };
  const { result: { targetId } } = await send("Target.createTarget", {
    url: "about:blank",
  });
  const { result: { sessionId } } = await send("Target.attachToTarget", {
    targetId,
    flatten: true,
  });
  return {
    async call(method, params) {
      const isOfPage = method.startsWith("Runtime.");
      const session = isOfPage ? sessionId : undefined;
      const { error } = await send(method, params, session);
      if (error) throw new Error(error.message);
    },
    [Symbol.dispose]: () => socket.terminate(),
  };
}
