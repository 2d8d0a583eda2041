import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { type CdpClient, cdpClient } from "../support/cdp_client.ts";
import { eventually } from "../support/eventually.ts";
import { testGrid } from "../support/grid.ts";
import { type GatewayScene, gatewayScene } from "./scene.ts";
import { encodeFrame, readFrames } from "./stream/hold/frames.ts";

/** Responds to each command as a browser. */
function respond(socket: Socket): void {
  readFrames(socket, ({ opcode, text }) => {
    if (opcode === 8) {
      return void socket.end(encodeFrame(new Uint8Array(), { opcode }));
    }
    if (opcode !== 1) return;
    const { id } = JSON.parse(text);
    const response = JSON.stringify({ id, result: { by: "browser" } });
    socket.write(encodeFrame(Buffer.from(response)));
  });
}

/** A session on a browser that responds, which several clients may use. */
function scene(): Promise<GatewayScene> {
  return gatewayScene({
    session: { max_connections: 5 },
    upstream: { onSocket: respond },
  });
}

/** Opens a hand-over. Returns its id. */
async function handOver(
  { api, sessionId }: GatewayScene,
  body: object,
): Promise<string> {
  const response = await api.call("POST", `/sessions/${sessionId}/handover`, {
    reason: "sign in",
    ...body,
  });
  assert.equal(response.status, 201, response.text);
  return response.body.id;
}

/** Resolves with the error of a held command. */
async function untilHeld(client: CdpClient): Promise<string> {
  return await eventually("the client is held", async () => {
    try {
      await client.call("Page.reload");
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : undefined;
    }
  }, { withinMs: 10_000 });
}

/** Resolves when a client's commands pass. */
async function untilReleased(client: CdpClient): Promise<void> {
  await eventually("the client is released", async () => {
    await client.call("Page.reload");
    return true;
  }, { withinMs: 10_000 });
}

Deno.test("the clients of a session are held from a hand-over with hold until it ends, also those that connect during the hold, and no others", async () => {
  await using s = await scene();
  const other = await s.api.running({}, s.upstream.endpoint);
  await using first = await cdpClient(s.url);
  await using elsewhere = await cdpClient(
    s.url.replace(s.sessionId, other.claimed.id),
  );
  await first.call("Page.navigate");
  for (let round = 0; round < 2; round++) {
    const id = await handOver(s, { hold: true });
    const message = await untilHeld(first);
    assert.equal(
      message,
      `held: a person controls the browser (hand-over ${id})`,
    );
    const passed = await first.call("Runtime.runIfWaitingForDebugger");
    assert.deepEqual(passed, { by: "browser" });
    await using second = await cdpClient(s.url);
    await assert.rejects(second.call("Runtime.evaluate"), { message });
    await elsewhere.call("Page.navigate");
    await s.api.call("DELETE", `/sessions/${s.sessionId}/handover`);
    await untilReleased(first);
    await untilReleased(second);
  }
});

Deno.test("a hand-over without hold holds no client", async () => {
  await using s = await scene();
  await using client = await cdpClient(s.url);
  await handOver(s, {});
  await client.call("Page.navigate");
  await using second = await cdpClient(s.url);
  await second.call("Page.navigate");
});

Deno.test("clients of every server are held and released, also those of one that starts during the hold", async () => {
  await using s = await scene();
  await using there = await testGrid({
    dataDir: s.grid.dataDir,
    listen: true,
  });
  const url = s.url.replace(new URL(s.grid.url).host, new URL(there.url).host);
  await using client = await cdpClient(url);
  await client.call("Page.navigate");
  for (let round = 0; round < 2; round++) {
    const id = await handOver(s, { hold: true });
    assert.ok((await untilHeld(client)).includes(id));
    {
      await using late = await testGrid({
        dataDir: s.grid.dataDir,
        listen: true,
      });
      await using another = await cdpClient(
        s.url.replace(new URL(s.grid.url).host, new URL(late.url).host),
      );
      await assert.rejects(another.call("Page.navigate"), /held/);
    }
    await s.api.call("DELETE", `/sessions/${s.sessionId}/handover`);
    await untilReleased(client);
  }
});

Deno.test("a client connects to a session that is not handed over without a query for its hold", async () => {
  await using s = await scene();
  {
    await using first = await cdpClient(s.url);
    await first.call("Page.enable");
  }
  const queries: string[] = [];
  const { handovers } = s.grid;
  assert.ok(handovers);
  const readHolds = handovers.readHolds.bind(handovers);
  handovers.readHolds = (ids) => {
    queries.push(...ids);
    return readHolds(ids);
  };
  await using client = await cdpClient(s.url);
  await client.call("Page.navigate");
  assert.deepEqual(queries, []);
  await handOver(s, { hold: true });
  await untilHeld(client);
  assert.deepEqual(new Set(queries), new Set([s.sessionId]));
});
