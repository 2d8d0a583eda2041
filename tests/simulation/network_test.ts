import assert from "node:assert/strict";
import type { Server } from "./message.ts";
import { Network } from "./network.ts";
import { Process } from "./process.ts";
import { createRandom } from "./random.ts";
import { Scheduler } from "./scheduler.ts";

/** A network with the servers `a` and `b`, of which only `b` responds, because `a` is cut off. */
function scene() {
  const scheduler = new Scheduler();
  const servers = ["a", "b"].map((name): Server => ({
    name,
    process: new Process({ name, scheduler }),
    handle: () => Promise.resolve(new Response()),
  }));
  const network = new Network({
    scheduler,
    random: createRandom(1),
    servers,
    listener: { onRequest() {}, onAnswer() {} },
  });
  network.cut("a");
  const client = new Process({ name: "client", scheduler });
  const pass = async (ms: number) => {
    let isOver = false;
    scheduler.after(ms, () => void (isOver = true));
    while (!isOver) await scheduler.step();
  };
  /** Sends requests, and returns the share that is answered within a second. */
  const askMany = async () => {
    let answered = 0;
    const fetch = network.createFetch(client);
    for (let each = 0; each < 400; each++) {
      void fetch("http://grid/").then(() => answered++);
    }
    await pass(1_000);
    return answered / 400;
  };
  return { network, scheduler, pass, askMany };
}

Deno.test("a balancer sends every second request to a server that was just cut off, and few after 10 s", async () => {
  const { askMany, pass } = scene();
  const before = await askMany();
  assert.ok(before > 0.4 && before < 0.6, `${before} were answered`);
  await pass(10_000);
  const after = await askMany();
  assert.ok(after > 0.95, `${after} were answered`);
});

Deno.test("a server counts as reached from the end of a cut", async () => {
  const { network, scheduler, pass } = scene();
  assert.equal(network.reachedSince("a"), Infinity);
  assert.equal(network.reachedSince("b"), 0);
  await pass(3_000);
  network.heal("a");
  assert.equal(network.reachedSince("a"), scheduler.now);
});
