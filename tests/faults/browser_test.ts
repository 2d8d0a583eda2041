import assert from "node:assert/strict";
import type { Browser } from "puppeteer-core";
import type { SessionWire } from "../../src/apps/sessions/schemas.ts";
import type { GridClient } from "../../src/client/client.ts";
import { systemClock } from "../../src/async/clock.ts";
import { chaosGrid } from "../support/chaos_grid.ts";
import { docker, dockerTest } from "../support/docker.ts";
import { eventually } from "../support/eventually.ts";
import { connectTo, type Listener, listenTo } from "../support/page_mark.ts";
import { assertCleanEnd, cleanAgain } from "../support/settle.ts";

/** Maximum time from a browser's death to its session's end. */
const NOTICE_MS = 2_000;

/** Result of a page that received all the memory that it allocated. */
const SPENT = "all of it";

const CONTAINERS = { name: "containers", provider_type: "docker" };

Deno.test("a killed browser's session has crashed with a reason within 2 s, its client is closed with a code, and nothing is left", async () => {
  await using grid = await chaosGrid();
  await grid.startWorker();
  const session = await grid.client.createSession({}, { waitSeconds: 30 });
  await using listener = await listenTo(session.connect_url);
  const [pid = 0] = await grid.browserPids();
  const killedAt = systemClock.monotonic();
  Deno.kill(pid, "SIGKILL");
  await assertNoticed(grid.client, { session, listener, killedAt });
  await cleanAgain(grid);
  assert.deepEqual(await grid.traces(), []);
  await assertCleanEnd(grid, [session.id]);
});

dockerTest(
  "a killed container's session has crashed with a reason within 2 s, its client is closed with a code, and nothing is left",
  async () => {
    await using grid = await chaosGrid({ pools: [CONTAINERS] });
    await grid.startWorker({ pool: "containers" });
    const session = await grid.client.createSession({
      work_pool_id: "containers",
    }, { waitSeconds: 60 });
    await using listener = await listenTo(session.connect_url);
    const killedAt = systemClock.monotonic();
    await docker.getContainer(session.container_id ?? "").kill();
    await assertNoticed(grid.client, { session, listener, killedAt });
    await cleanAgain(grid);
    assert.deepEqual(await grid.traces(), []);
    await assertCleanEnd(grid, [session.id]);
  },
);

/** A browser whose end was just brought about, and who must be told of it. */
interface Victim {
  readonly session: SessionWire;
  readonly listener: Listener;
  readonly killedAt: number;
}

async function assertNoticed(
  client: GridClient,
  { session, listener, killedAt }: Victim,
): Promise<void> {
  const { code } = await listener.closed;
  assert.equal(code, 1011);
  const { status_reason } = await eventually("it has crashed", async () => {
    const found = await client.getSession(session.id);
    return found.status === "crashed" ? found : undefined;
  });
  const noticedAfter = systemClock.monotonic() - killedAt;
  assert.ok(noticedAfter < NOTICE_MS, `${noticedAfter} ms`);
  assert.ok(status_reason);
}

dockerTest(
  "a page that exceeds its session's memory harms only that page, and its client receives the error",
  async () => {
    await using grid = await chaosGrid({ pools: [CONTAINERS] });
    await grid.startWorker({ pool: "containers" });
    const [greedy, modest] = await Promise.all(
      [{ memory: "384M" }, {}].map((resource_limits) =>
        grid.client.createSession(
          { work_pool_id: "containers", resource_limits },
          { waitSeconds: 60 },
        )
      ),
    );
    assert.ok(greedy && modest);
    await using spender = await connectTo(greedy.connect_url);
    assert.equal(await spend(spender), "Page crashed!");
    await using other = await connectTo(modest.connect_url);
    assert.equal(await spend(other), SPENT);
    // The browser itself lives, and its other pages with it.
    assert.equal((await grid.client.getSession(greedy.id)).status, "running");
    assert.match(await spender.version(), /Chrome/);
    await assertCleanEnd(grid, [greedy.id, modest.id]);
  },
);

/** Takes 768 MB in a new page, and tells how that ended. */
async function spend(client: Browser): Promise<string> {
  const page = await client.newPage();
  const crashed = new Promise<string>((resolve) =>
    page.once("error", ({ message }) => resolve(message))
  );
  const spent = page.evaluate(`{
    const kept = [];
    for (let i = 1; i <= 24; i++) kept.push(new Uint8Array(32 << 20).fill(i));
    "${SPENT}";
  }`).then(String);
  // After a crash there is no answer.
  spent.catch(() => {});
  return await Promise.race([crashed, spent]);
}
