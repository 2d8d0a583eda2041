import type { Figure, Limit } from "./figure.ts";
import { mean, quantile } from "./times.ts";

/** Measured clients: without the grid, through the server, through the server and a worker's tunnel, and through a minimal relay. */
export type Side = "direct" | "gateway" | "tunnel" | "relay";

/** A measurement of `gateway_bench.mjs`, and the browser that it uses. */
export interface Measurement {
  readonly name: string;
  readonly browser: "chromium" | "synthetic";
}

/** A ratio of a side to a direct connection. */
export interface GatewayFigure extends Figure {
  readonly side: Side;
  readonly measurement: Measurement;
  /** Summarizes the milliseconds of the trips of a side: a time, or a number of trips in a time. */
  readonly summarize: (times: readonly number[]) => number;
}

/** Round trips to a page. */
export const EVALUATE: Measurement = { name: "evaluate", browser: "chromium" };
const VERSION: Measurement = { name: "version", browser: "chromium" };
/** Messages of 1 MB to a page. */
export const UPLOADS: Measurement = { name: "uploads", browser: "chromium" };
/** Messages of 1 MB from a page. */
export const MEGABYTES: Measurement = {
  name: "megabytes",
  browser: "chromium",
};
const MESSAGES: Measurement = { name: "messages", browser: "synthetic" };
const BYTES: Measurement = { name: "bytes", browser: "synthetic" };

/** The measurements, in the order in which they are run. */
export const MEASUREMENTS: readonly Measurement[] = [
  EVALUATE,
  VERSION,
  MEGABYTES,
  UPLOADS,
  MESSAGES,
  BYTES,
];

/** The measurement of a server whose main thread is busy. */
export const BUSY_MEASUREMENT: Measurement = {
  name: "interrupted",
  browser: "chromium",
};

const p50 = (times: readonly number[]) => quantile(times, 0.5);
const p99 = (times: readonly number[]) => quantile(times, 0.99);
const p995 = (times: readonly number[]) => quantile(times, 0.995);
const rate = (times: readonly number[]) => 1 / mean(times);

const TRIP =
  "`Runtime.evaluate` of `1`, one call at a time, 5,000 calls on each side.";
const COMMAND =
  "`Browser.getVersion`, 2,000 calls on each side. It uses no page and returns in 0.1 ms, so it shows the cost of the path alone.";
const RESULTS =
  "Throughput of `Runtime.evaluate` with results of 1 MB, 80 on each side.";
const SENT =
  "Throughput of `Runtime.evaluate` with expressions of 1 MB, 80 on each side.";
const BUSY =
  "`Runtime.evaluate` of `1`, 3,000 calls on each side, while a plugin keeps the main thread of the server busy for 20 of every 100 ms, as database calls do.";
const PARSED =
  "Throughput of a synthetic browser at full speed: 64 MB of JSON messages of 1 MB, each parsed by the client, 12 times on each side.";
const DISCARDED =
  "The same with 128 MB that the client does not read. The cores that the kernel has for copying limit it: three processes share what two had.";

/** Ratios to a direct connection, by id. */
export type GatewayFigures = Readonly<Record<string, GatewayFigure>>;

/** Ratios of gateway and tunnel to a direct connection. */
export const GATEWAY_FIGURES = {
  gateway_trip_p50: {
    ...ratio("gateway", EVALUATE, p50, { atMost: 1.38 }),
    title: "CDP round trip to a page, p50",
    definition: TRIP,
  },
  gateway_trip_p99: {
    ...ratio("gateway", EVALUATE, p99, { atMost: 1.5 }),
    title: "CDP round trip to a page, p99",
    definition: TRIP,
  },
  tunnel_trip_p50: {
    ...ratio("tunnel", EVALUATE, p50, { atMost: 1.6 }),
    title: "the same through a tunnel, p50",
    definition: TRIP,
  },
  tunnel_trip_p99: {
    ...ratio("tunnel", EVALUATE, p99, "none"),
    title: "the same through a tunnel, p99",
    definition: TRIP,
  },
  gateway_busy_p995: {
    ...ratio("gateway", BUSY_MEASUREMENT, p995, { atMost: 3 }),
    title: "round trip, busy main thread, p99.5",
    definition: BUSY,
  },
  gateway_results: {
    // A plain relay reaches 0.95: see the floors.
    ...ratio("gateway", MEGABYTES, rate, { atLeast: 0.93 }),
    title: "throughput of 1 MB results",
    definition: RESULTS,
  },
  tunnel_results: {
    ...ratio("tunnel", MEGABYTES, rate, "none"),
    title: "the same through a tunnel, 1 MB results",
    definition: RESULTS,
  },
  gateway_uploads: {
    ...ratio("gateway", UPLOADS, rate, { atLeast: 0.95 }),
    title: "throughput of 1 MB from the client",
    definition: SENT,
  },
  gateway_synthetic: {
    ...ratio("gateway", MESSAGES, rate, { atLeast: 0.85 }),
    title: "throughput of a synthetic browser",
    definition: PARSED,
  },
  tunnel_synthetic: {
    ...ratio("tunnel", MESSAGES, rate, { atLeast: 0.7 }),
    title: "the same through a tunnel, synthetic",
    definition: PARSED,
  },
  gateway_discarded: {
    ...ratio("gateway", BYTES, rate, "none"),
    title: "the same, bytes discarded by the client",
    definition: DISCARDED,
  },
  gateway_version_p50: {
    ...ratio("gateway", VERSION, p50, "none"),
    title: "round trip to the browser process, p50",
    definition: COMMAND,
  },
  tunnel_version_p50: {
    ...ratio("tunnel", VERSION, p50, "none"),
    title: "round trip, browser process, tunnel, p50",
    definition: COMMAND,
  },
} as const satisfies GatewayFigures;

/** The same of the native join, with its own limits. */
export const NATIVE_FIGURES = {
  native_trip_p50: {
    ...GATEWAY_FIGURES.gateway_trip_p50,
    title: "native join: CDP round trip, p50",
    limit: { atMost: 1.2 },
  },
  native_trip_p99: {
    ...GATEWAY_FIGURES.gateway_trip_p99,
    title: "native join: CDP round trip, p99",
    limit: { atMost: 1.35 },
  },
  native_tunnel_p50: {
    ...GATEWAY_FIGURES.tunnel_trip_p50,
    title: "native join: the same by tunnel, p50",
    limit: { atMost: 1.4 },
  },
  native_busy_p995: {
    ...GATEWAY_FIGURES.gateway_busy_p995,
    title: "native join: busy main thread, p99.5",
  },
} as const satisfies GatewayFigures;

/** The same of a minimal relay. */
export const RELAY_FIGURES = {
  floor_trip_p50: {
    ...ratio("relay", EVALUATE, p50, "none"),
    title: "round trip through a plain relay, p50",
    definition:
      "`Runtime.evaluate` of `1` through a relay on `node:net` in Deno that writes each chunk to the other side, divided by a direct connection: the floor of a gateway in JavaScript.",
  },
  floor_trip_p99: {
    ...ratio("relay", EVALUATE, p99, "none"),
    title: "round trip through a plain relay, p99",
    definition: "The same, 99th percentile of 5,000 calls.",
  },
  floor_results: {
    ...ratio("relay", MEGABYTES, rate, "none"),
    title: "1 MB results through a plain relay",
    definition: `${RESULTS} Divided by a direct connection.`,
  },
  floor_uploads: {
    ...ratio("relay", UPLOADS, rate, "none"),
    title: "1 MB from the client, plain relay",
    definition: `${SENT} Divided by a direct connection.`,
  },
} as const satisfies GatewayFigures;

function ratio(
  side: Side,
  measurement: Measurement,
  summarize: GatewayFigure["summarize"],
  limit: Limit,
) {
  return { side, measurement, summarize, limit, unit: "ratio" } as const;
}
