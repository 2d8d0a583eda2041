import assert from "node:assert/strict";
import { ConnectionMetrics } from "../../src/gateway/connection_metrics.ts";
import { MetricRegistry } from "../../src/core/metrics/registry.ts";
import type {
  JoinedStream,
  StreamEnd,
} from "../../src/gateway/stream/joined_stream.ts";

Deno.test("streams and their bytes are counted by their way, also after they have ended", async () => {
  const registry = new MetricRegistry();
  const metrics = new ConnectionMetrics(registry);
  const { promise: ended, resolve } = Promise.withResolvers<StreamEnd>();
  const bytes = { bytesIn: 3, bytesOut: 5 };
  const stream: JoinedStream = {
    ended,
    countBytes: () => 8,
    readBytes: () => bytes,
    expectEnd() {},
    close() {},
    ping() {},
    hold() {},
    release() {},
  };
  const read = (name: string) =>
    [...registry].flatMap((metric) =>
      metric.type !== "histogram" && metric.declaration.name === name
        ? [...metric.read()].filter(({ value }) => value > 0)
        : []
    );
  metrics.add("tunnel", stream);
  assert.deepEqual(read("browsergrid_connections"), [
    { labels: ["tunnel"], value: 1 },
  ]);
  assert.deepEqual(read("browsergrid_stream_bytes_total"), [
    { labels: ["in", "tunnel"], value: 3 },
    { labels: ["out", "tunnel"], value: 5 },
  ]);
  resolve({ by: "client", bytesIn: 4, bytesOut: 6 });
  await ended;
  assert.deepEqual(read("browsergrid_connections"), []);
  assert.deepEqual(read("browsergrid_stream_bytes_total"), [
    { labels: ["in", "tunnel"], value: 4 },
    { labels: ["out", "tunnel"], value: 6 },
  ]);
});
