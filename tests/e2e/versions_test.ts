import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { createClient, type GridClient } from "../../src/client/client.ts";
import { cdpClient } from "../support/cdp_client.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free_port.ts";
import { assertNothingLeft } from "../support/leaks.ts";
import { runProgram, startProgram } from "../support/program.ts";
import {
  findMissing,
  LAST_RELEASE,
  type ReleaseSource,
  unpackRelease,
} from "../support/releases.ts";

const { version } = LAST_RELEASE;

const missing = await findMissing(LAST_RELEASE);

/** Versions of the server and the worker; undefined is this one. */
interface Sides {
  readonly server?: ReleaseSource;
  readonly worker?: ReleaseSource;
}

/** Declares a test that needs the source of the last release, and a folder for data. */
function releaseTest(
  name: string,
  fn: (previous: ReleaseSource, dataDir: string) => Promise<void>,
): void {
  // deno-lint-ignore no-console -- the reason of a skipped test is its result
  if (missing !== undefined) console.log(`skipped: ${name}: ${missing}`);
  Deno.test({
    name,
    ignore: missing !== undefined,
    async fn() {
      await using previous = await unpackRelease(LAST_RELEASE);
      const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
      try {
        await fn(previous, dataDir);
        await assertNothingLeft(dataDir);
      } finally {
        await Deno.remove(dataDir, { recursive: true });
      }
    },
  });
}

const SETTINGS = {
  BROWSERGRID_HEARTBEAT_SECONDS: "1",
  BROWSERGRID_METRICS_SECONDS: "1",
};

/** Starts a server with the data of the folder, and a client of it. */
async function startServer(
  dataDir: string,
  source?: ReleaseSource,
  port = "0",
) {
  const process = startProgram(
    ["serve", "--port", port, "--data-dir", `${dataDir}/server`],
    SETTINGS,
    { ...source },
  );
  const [, apiUrl = ""] = await process.until(/API +(http:\S+)\/v1/);
  return {
    process,
    apiUrl,
    client: createClient({ apiUrl }),
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

/** Starts a worker with the data of the folder. */
async function startWorker(
  dataDir: string,
  apiUrl: string,
  source?: ReleaseSource,
) {
  const process = startProgram(
    [
      ...["worker", "--work-pool-id", "pool", "--api-url", apiUrl],
      ...["--reach", "tunnel", "--data-dir", `${dataDir}/worker`],
    ],
    {},
    { ...source },
  );
  await process.until(/serves work pool/);
  return process;
}

/** Evaluates an expression in the page of a session, through the gateway. */
async function evaluate(
  client: GridClient,
  sessionId: string,
  expression: string,
): Promise<unknown> {
  const targets = await client.listSessionTargets(sessionId);
  const page = targets.find(({ type }) => type === "page");
  await using cdp = await cdpClient(String(page?.["webSocketDebuggerUrl"]));
  return await cdp.evaluate(expression);
}

/**
 * Drives a browser of a worker through its tunnel, releases it, lets the worker leave, and stops the server. Returns the
 * id of the session.
 */
async function driveBrowser(
  dataDir: string,
  { server, worker }: Sides,
): Promise<string> {
  await using serving = await startServer(dataDir, server);
  const { client, apiUrl } = serving;
  await client.createPool({ name: "pool", provider_type: "local" });
  await using working = await startWorker(dataDir, apiUrl, worker);
  const { id, status } = await client.createSession({}, { waitSeconds: 60 });
  assert.equal(status, "running");
  assert.equal(await evaluate(client, id, "6 * 7"), 42);
  await client.stopSession(id);
  working.kill("SIGTERM");
  assert.equal((await working.status).code, 0);
  assert.equal((await client.getSession(id)).status, "completed");
  const [left] = (await client.listWorkers()).items;
  // A worker of 0.2 does not repeat its last heartbeat at a busy server.
  if (!worker) assert.equal(left?.status, "offline");
  assert.doesNotMatch(serving.process.output(), / 422 | 500 |\[ERR\]/);
  assert.doesNotMatch(working.output(), /\[ERR\]|\[WRN\]|Warning/);
  return id;
}

releaseTest(
  `a worker of version ${version} serves a server of this version: a browser is driven through its tunnel, and every heartbeat is accepted`,
  async (worker, dataDir) => {
    await driveBrowser(dataDir, { worker });
  },
);

releaseTest(
  `a worker of this version serves a server of version ${version}: a browser is driven through its tunnel, and every heartbeat is accepted; then the server is upgraded and serves its data, and version ${version} rejects the database`,
  async (previous, dataDir) => {
    const id = await driveBrowser(dataDir, { server: previous });
    const args = ["serve", "--port", "0", "--data-dir", `${dataDir}/server`];
    {
      await using upgraded = await startServer(dataDir);
      const { client } = upgraded;
      assert.equal((await client.getSession(id)).status, "completed");
      const { items } = await client.listSessionEvents(id);
      assert.ok(items.some(({ event }) => event === "client_connected"));
    }
    const { code, stderr } = await runProgram(args, {}, previous);
    assert.equal(code, 1);
    assert.match(stderr, /"0006_labels".* which this version does not know/);
  },
);

releaseTest(
  `an upgrade from version ${version} of the server and then of the worker keeps the page of a running session`,
  async (previous, dataDir) => {
    await using stack = new AsyncDisposableStack();
    const port = String(freePort());
    const before = stack.use(await startServer(dataDir, previous, port));
    const { apiUrl } = before;
    await before.client.createPool({ name: "pool", provider_type: "local" });
    const worker = stack.use(await startWorker(dataDir, apiUrl, previous));
    const { id } = await before.client.createSession({}, { waitSeconds: 60 });
    assert.equal(await evaluate(before.client, id, "mark = 6 * 7"), 42);
    await before[Symbol.asyncDispose]();
    const { client } = stack.use(await startServer(dataDir, undefined, port));
    const readMark = () =>
      eventually("the page is reached", () => evaluate(client, id, "mark"));
    assert.equal(await readMark(), 42);
    worker.kill("SIGKILL");
    await worker.status;
    stack.use(await startWorker(dataDir, apiUrl));
    assert.equal(await readMark(), 42);
    assert.equal((await client.getSession(id)).status, "running");
    const [shown] = (await client.listWorkers()).items;
    assert.equal(shown?.version, config.version);
    await client.stopSession(id);
  },
);
