/**
 * Watches that end at once, at a server whose responses the test decides.
 *
 * @module
 */
import assert from "node:assert/strict";
import { systemClock } from "../../../src/async/clock.ts";
import { KubernetesClient } from "../../../src/providers/kubernetes/api/client.ts";
import { podSchema } from "../../../src/providers/kubernetes/api/objects.ts";
import { PodWatch } from "../../../src/providers/kubernetes/api/pod_watch.ts";
import { logRecords } from "../../support/log_records.ts";

const POD = podSchema.parse({
  metadata: { name: "p", uid: "u", resourceVersion: "1" },
  spec: { containers: [] },
  status: {},
});

const FAILURE = {
  type: "ERROR",
  object: { kind: "Status", code: 500, reason: "InternalError", message: "no" },
};

/** Watches at a server that sends `body` and ends the watch. Returns the pauses before the second and third watch. */
async function measurePauses(body: string): Promise<readonly number[]> {
  const times: number[] = [];
  const third = Promise.withResolvers<void>();
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    ({ url }) => {
      if (!new URL(url).searchParams.has("watch")) {
        return Response.json({ metadata: { resourceVersion: "1" }, items: [] });
      }
      times.push(systemClock.monotonic());
      if (times.length === 3) third.resolve();
      return new Response(body);
    },
  );
  const client = new KubernetesClient({
    server: new URL(`http://127.0.0.1:${server.addr.port}`),
    tls: {},
    namespace: "browsers",
    source: "the test",
    isInCluster: false,
  });
  await using watch = new PodWatch(client, "a=b");
  watch.add(POD);
  await third.promise;
  return times.slice(1).map((at, index) => at - (times[index] ?? 0));
}

Deno.test("a watch that ends at once, or fails by an event, begins again after a growing pause, and warns once", async () => {
  await using log = await logRecords();
  const all = await Promise.all([
    measurePauses(""),
    measurePauses(`${JSON.stringify(FAILURE)}\n`),
  ]);
  for (const [first = 0, second = 0] of all) {
    assert.ok(first >= 990 && second >= 1_990, `${first} ms, ${second} ms`);
  }
  const warnings = log.records.filter(({ level }) => level === "warning");
  assert.deepEqual(warnings.map(({ properties }) => properties.error), ["no"]);
});
