import type { Benchmark } from "./benchmark.ts";

/** Every benchmark by name, in the order of the documentation. */
export const BENCHMARKS: Readonly<
  Record<string, () => Promise<{ readonly benchmark: Benchmark }>>
> = {
  cold_start: () => import("./cold_start.ts"),
  warm_connect: () => import("./warm_connect.ts"),
  cycle: () => import("./cycle.ts"),
  visits: () => import("./visits.ts"),
  gateway: () => import("./gateway.ts"),
  native_join: () => import("./native_join.ts"),
  api_load: () => import("./api_load.ts"),
  overload: () => import("./overload.ts"),
  remote: () => import("./remote.ts"),
  claims: () => import("./claims.ts"),
  commands: () => import("./commands.ts"),
  scale: () => import("./scale.ts"),
  scaling: () => import("./scaling.ts"),
  event_streams: () => import("./event_streams.ts"),
  live_view: () => import("./live_view.ts"),
  dashboard: () => import("./dashboard.ts"),
  idle_server: () => import("./idle_server.ts"),
  bundle: () => import("./bundle.ts"),
  npm: () => import("./npm.ts"),
  image: () => import("./image.ts"),
  floors: () => import("./floors.ts"),
  sandbox: () => import("./sandbox.ts"),
  browser_events: () => import("./browser_events.ts"),
  webhooks: () => import("./webhooks.ts"),
};
