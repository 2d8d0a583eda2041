/**
 * Failure matrix: a paused process. No request fails because of time in which the process did not run.
 *
 * @module
 */
import assert from "node:assert/strict";
import { systemClock } from "../../src/async/clock.ts";
import { lockDatabase } from "../support/database_lock.ts";
import { startProgram } from "../support/program.ts";

/** Longer than the timeout of a caller that waits for the database's lock. */
const PAUSE_MS = 6_500;

const REQUESTS = 300;

Deno.test("a server that is stopped for 6.5 s during a burst of 300 POSTs responds 201 to all", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-paused-" });
  await using _folder = {
    [Symbol.asyncDispose]: () => Deno.remove(dataDir, { recursive: true }),
  };
  await using server = startProgram(["serve"], {
    BROWSERGRID_PORT: "0",
    BROWSERGRID_DATA_DIR: dataDir,
  });
  const [url = ""] = await server.until(/http:\/\/127\.0\.0\.1:\d+/);
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${url}/v1${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, text: await response.text() };
  };
  const pool = await post("/workerpool/pools", {
    name: "here",
    provider_type: "local",
  });
  assert.equal(pool.status, 201, pool.text);
  const lock = await lockDatabase(`${dataDir}/browsergrid.db`);
  await using _lock = lock;
  const burst = Promise.all(
    Array.from({ length: REQUESTS }, () => post("/sessions", {})),
  );
  // The burst has been read by then, so its writers wait in the queue when the process stops.
  for (let each = 0; each < 30; each++) {
    await (await fetch(`${url}/health`)).body?.cancel();
  }
  server.kill("SIGSTOP");
  await lock.release();
  await systemClock.sleep(PAUSE_MS);
  server.kill("SIGCONT");
  const refused = (await burst).filter(({ status }) => status !== 201);
  assert.deepEqual(refused, []);
});
