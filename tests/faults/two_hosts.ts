/**
 * A worker on another host, behind a router with NAT: it joins, drives a browser through its tunnel, survives that NAT
 * forgets its connections, and leaves. Runs in a network of its own, which is the server's host.
 *
 * ```text
 * two_hosts.ts FOLDER
 * ```
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createClient } from "../../src/client/client.ts";
import { eventually } from "../support/eventually.ts";
import { ADDRESSES, createNatHosts } from "../support/nat_hosts.ts";
import { markPage, readMark } from "../support/page_mark.ts";
import { runProgram, startProgram } from "../support/program.ts";
import { snippet } from "../e2e/docs_scene.ts";

const [folder = ""] = Deno.args;
const ADMIN_KEY = "bootstrap-0123456789";

await using hosts = await createNatHosts();
await using server = startProgram(
  [
    "serve",
    "--host",
    "0.0.0.0",
    "--port",
    "0",
    "--data-dir",
    join(folder, "a"),
  ],
  { BROWSERGRID_API_KEY: ADMIN_KEY, BROWSERGRID_HEARTBEAT_SECONDS: "1" },
);
const [, port = ""] = await server.until(/API +http:\S+:(\d+)\/v1/);
const apiUrl = `http://${ADDRESSES.server}:${port}`;
const client = createClient({ apiUrl, apiKey: ADMIN_KEY });
await client.createPool({ name: "default", provider_type: "local" });
// The commands of the documentation.
const [createKey = [], startWorker = []] = snippet("remote_worker").split("\n")
  .map((line) =>
    line.replace(/^.*browsergrid /, "").replace("https://grid.example", apiUrl)
      .split(" ")
  );
const created = await runProgram([...createKey, "--json"], {
  BROWSERGRID_API_KEY: ADMIN_KEY,
  BROWSERGRID_API_URL: apiUrl,
});
assert.equal(created.code, 0, created.stderr);
await using worker = startProgram(
  [...startWorker, "--data-dir", join(folder, "b")],
  { BROWSERGRID_API_KEY: JSON.parse(created.stdout).key },
  { under: hosts.onWorkerHost },
);
// The server's host has no way to the worker's.
await assert.rejects(
  Deno.connect({ hostname: ADDRESSES.worker, port: 1 }),
  /unreachable/,
);

const session = await client.createSession({}, { waitSeconds: 60 });
assert.equal(session.status, "running", session.status_reason ?? "");
await markPage(session.connect_url, "still here");
assert.equal((await client.getSession(session.id)).reach, "tunnel");

await hosts.reconnectRouter();
// The next ping, after at most 20 s, finds that the tunnel is dead.
await eventually(
  "the browser is reached again",
  async () => await readMark(session.connect_url) === "still here",
  { withinMs: 90_000 },
);
await eventually("the worker is heard again", async () => {
  const { items: [found] } = await client.listWorkers();
  return found?.status === "online" && found.has_tunnel;
});
assert.equal((await client.getSession(session.id)).status, "running");

await client.stopSession(session.id);
worker.kill("SIGTERM");
assert.equal((await worker.status).code, 0, worker.output());
const { items: [left] } = await client.listWorkers();
assert.equal(left?.status, "offline");
server.kill("SIGTERM");
assert.equal((await server.status).code, 0, server.output());
