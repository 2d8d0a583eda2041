import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { createClient } from "../../src/client/client.ts";
import { eventually } from "../support/eventually.ts";
import { startProgram } from "../support/program.ts";
import { rawClient, readBytes } from "../support/raw_client.ts";
import { startUpstream } from "../support/upstream.ts";

const MEGABYTE = 1_048_576;

/** What a browser would send if it could. */
const STREAM_MB = 1_024;

/** What is read before the client stops, so that what both processes need anyway is there. */
const READ_MB = 64;

/** What a stream that nobody reads may cost either process. */
const GROWTH_MB = 64;

/** A browser that sends without end when it is told "go", and else what it gets. */
function streaming(socket: Socket): void {
  const block = Buffer.alloc(MEGABYTE);
  let left = STREAM_MB;
  const send = () => {
    while (left-- > 0) {
      if (!socket.write(block)) return void socket.once("drain", send);
    }
  };
  socket.on("data", (data: Buffer) => {
    if (data.toString() === "go") send();
    else socket.write(data);
  });
}

/** What a process has of the machine's memory, in megabytes. Linux. */
async function residentMb(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024;
}

Deno.test("a client that stops reading in the middle of a gigabyte costs neither the server nor the worker its bytes, nor others their answers; a worker's death closes its socket", async () => {
  await using upstream = await startUpstream({ onSocket: streaming });
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-tunnel-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(dataDir, { recursive: true }));
  const server = stack.use(
    startProgram(["serve", "--port", "0", "--data-dir", dataDir]),
  );
  const [, apiUrl = ""] = await server.until(/API +(http:\S+)\/v1/);
  const client = createClient({ apiUrl });
  await client.createPool({ name: "pool", provider_type: "local" });
  const script = fileURLToPath(
    new URL("../support/tunnel_worker.ts", import.meta.url),
  );
  const worker = stack.use(
    new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-check",
        "-A",
        script,
        apiUrl,
        upstream.endpoint,
        dataDir,
      ],
      stdout: "null",
      stderr: "null",
    }).spawn(),
  );
  const connect = async () => {
    const session = await client.createSession({}, { waitSeconds: 30 });
    return stack.use(await rawClient(session.connect_url)).socket;
  };
  const [stalled, other] = [await connect(), await connect()];
  stalled.write("go");
  await readBytes(stalled, READ_MB * MEGABYTE);
  const pids = [server.pid, worker.pid];
  const before = await Promise.all(pids.map(residentMb));
  const [browser] = upstream.sockets;
  assert.ok(browser);
  let sent = 0;
  await eventually("nothing more is sent", () => {
    const now = browser.bytesWritten;
    const isStill = now === sent;
    sent = now;
    return Promise.resolve(isStill);
  });
  const sentMb = sent / MEGABYTE;
  assert.ok(sentMb >= READ_MB && sentMb < STREAM_MB / 2, `${sentMb} MB`);
  other.write("still there");
  await readBytes(other, 11);
  const after = await Promise.all(pids.map(residentMb));
  for (const [at, mb] of after.entries()) {
    const grown = mb - (before[at] ?? 0);
    assert.ok(
      grown < GROWTH_MB,
      `${grown} MB, ${at === 0 ? "server" : "worker"}`,
    );
  }
  worker.kill("SIGKILL");
  other.resume();
  await once(other, "close");
});
