import { type Api, createApiClient } from "../support/api.ts";
import type { TestGrid } from "../support/grid.ts";

/** Objects that the requests of the table name. */
export interface Scene {
  readonly api: Api;
  readonly worker: string;
  /** A worker without sessions. */
  readonly idle: string;
  /** A session that runs on `worker`. */
  readonly id: string;
  readonly fencing_token: number;
  /** A link to the live view of the session. */
  readonly link: string;
  /** Another running session, with an open hand-over. */
  readonly handedOver: string;
  /** An active webhook with a delivery. */
  readonly webhook: string;
  readonly delivery: number;
}

/** A request to `/v1`. */
export type Asked = readonly [path: string, json?: unknown];

const WEBHOOK = {
  name: "hook",
  url: "https://hooks.example/",
  event_pattern: "session.*",
};

/** A request for each endpoint of sessions, webhooks, pools and workers, in order, with its round trips to the database. docs/remote-database.md has the same table. */
export const REQUESTS: readonly (readonly [
  route: string,
  trips: number,
  asked: (scene: Scene) => Asked,
])[] = [
  ["POST /sessions", 2, () => ["/sessions", {}]],
  [
    "POST /workerpool/workers/{worker_id}/claim-session",
    1,
    ({ worker }) => [`/workerpool/workers/${worker}/claim-session`, {}],
  ],
  [
    "PUT /workerpool/workers/{worker_id}/heartbeat",
    1,
    ({ worker, id, fencing_token }) => [
      `/workerpool/workers/${worker}/heartbeat`,
      { sessions: [{ session_id: id, fencing_token, status: "running" }] },
    ],
  ],
  [
    "POST /workerpool/workers/{worker_id}/browser-events",
    2,
    ({ worker, id, fencing_token, webhook }) => [
      `/workerpool/workers/${worker}/browser-events`,
      {
        events: [{
          id: "a",
          webhook_id: webhook,
          session_id: id,
          fencing_token,
          method: "Page.loadEventFired",
          age_ms: 0,
          target: { id: "a", type: "page", url: "about:blank" },
          params: {},
        }],
        dropped: [{
          webhook_id: webhook,
          session_id: id,
          fencing_token,
          count: 1,
        }],
      },
    ],
  ],
  ["GET /sessions", 1, () => ["/sessions?status=running&limit=10"]],
  [
    "GET /sessions/{id}",
    1,
    ({ id }) => [`/sessions/${id}?include=events,metrics`],
  ],
  [
    "GET /sessions/{id}/events",
    1,
    ({ id }) => [`/sessions/${id}/events`],
  ],
  [
    "GET /sessions/{id}/metrics",
    1,
    ({ id }) => [`/sessions/${id}/metrics?interval=1m`],
  ],
  ["GET /sessions/{id}/logs", 1, ({ id }) => [`/sessions/${id}/logs`]],
  [
    "POST /sessions/{id}/logs",
    1,
    ({ id, fencing_token }) => [
      `/sessions/${id}/logs`,
      { fencing_token, text: "output\n" },
    ],
  ],
  [
    "POST /sessions/{id}/events",
    1,
    ({ id, fencing_token }) => [
      `/sessions/${id}/events`,
      { fencing_token, event: "session_idle" },
    ],
  ],
  [
    "POST /sessions/{id}/metrics",
    1,
    ({ id, fencing_token }) => [`/sessions/${id}/metrics`, { fencing_token }],
  ],
  [
    "POST /sessions/{id}/refresh",
    1,
    ({ id }) => [`/sessions/${id}/refresh`],
  ],
  ["POST /sessions/{id}/live-links", 1, ({ id }) => [
    `/sessions/${id}/live-links`,
    { mode: "control" },
  ]],
  [
    "GET /sessions/{id}/live-links",
    1,
    ({ id }) => [`/sessions/${id}/live-links`],
  ],
  [
    "DELETE /sessions/{id}/live-links/{link_id}",
    1,
    ({ id, link }) => [`/sessions/${id}/live-links/${link}`],
  ],
  [
    "POST /sessions/{id}/handover",
    3,
    ({ id }) => [
      `/sessions/${id}/handover`,
      { reason: "sign in", until: { url: "*" } },
    ],
  ],
  ["GET /sessions/{id}/handover", 1, ({ id }) => [`/sessions/${id}/handover`]],
  [
    "POST /sessions/{id}/handover/finish",
    1,
    ({ id }) => [`/sessions/${id}/handover/finish`],
  ],
  [
    "DELETE /sessions/{id}/handover",
    1,
    ({ handedOver }) => [`/sessions/${handedOver}/handover`],
  ],
  [
    "GET /events",
    1,
    () => ["/events?type=session.*&since=2020-01-01T00:00:00Z"],
  ],
  [
    "POST /webhooks",
    2,
    () => ["/webhooks", { ...WEBHOOK, work_pool_id: "pool" }],
  ],
  ["GET /webhooks", 1, () => ["/webhooks"]],
  [
    "GET /webhooks/{webhook_id}",
    1,
    ({ webhook }) => [`/webhooks/${webhook}`],
  ],
  [
    "PATCH /webhooks/{webhook_id}",
    1,
    ({ webhook }) => [`/webhooks/${webhook}`, { description: "x" }],
  ],
  [
    "POST /webhooks/{webhook_id}/rotate-secret",
    1,
    ({ webhook }) => [`/webhooks/${webhook}/rotate-secret`, {}],
  ],
  [
    "POST /webhooks/{webhook_id}/test",
    1,
    ({ webhook }) => [`/webhooks/${webhook}/test`],
  ],
  [
    "GET /webhooks/{webhook_id}/deliveries",
    1,
    ({ webhook }) => [`/webhooks/${webhook}/deliveries?cursor=100`],
  ],
  [
    "GET /webhooks/{webhook_id}/deliveries/{delivery_id}",
    1,
    (
      { webhook, delivery },
    ) => [`/webhooks/${webhook}/deliveries/${delivery}`],
  ],
  [
    "POST /webhooks/{webhook_id}/deliveries/{delivery_id}/retry",
    1,
    (
      { webhook, delivery },
    ) => [`/webhooks/${webhook}/deliveries/${delivery}/retry`],
  ],
  ["DELETE /sessions/{id}", 1, ({ id }) => [`/sessions/${id}`]],
  [
    "DELETE /webhooks/{webhook_id}",
    1,
    ({ webhook }) => [`/webhooks/${webhook}`],
  ],
  ["GET /workerpool/pools", 1, () => ["/workerpool/pools"]],
  [
    "POST /workerpool/pools",
    1,
    () => ["/workerpool/pools", { name: "other", provider_type: "local" }],
  ],
  ["GET /workerpool/pools/{pool_id}", 1, () => ["/workerpool/pools/other"]],
  [
    "PUT /workerpool/pools/{pool_id}",
    2,
    () => [
      "/workerpool/pools/other",
      { name: "other", provider_type: "local", priority: 2 },
    ],
  ],
  [
    "PATCH /workerpool/pools/{pool_id}",
    2,
    () => ["/workerpool/pools/other", { priority: 1 }],
  ],
  [
    "GET /workerpool/pools/{pool_id}/pressure",
    1,
    () => ["/workerpool/pools/other/pressure"],
  ],
  [
    "POST /workerpool/pools/{pool_id}/pause",
    2,
    () => ["/workerpool/pools/other/pause"],
  ],
  [
    "POST /workerpool/pools/{pool_id}/resume",
    2,
    () => ["/workerpool/pools/other/resume"],
  ],
  [
    "POST /workerpool/pools/{pool_id}/drain",
    2,
    () => ["/workerpool/pools/other/drain"],
  ],
  [
    "DELETE /workerpool/pools/{pool_id}",
    2,
    () => ["/workerpool/pools/other"],
  ],
  ["GET /workerpool/providers", 0, () => ["/workerpool/providers"]],
  [
    "POST /workerpool/workers",
    2,
    () => ["/workerpool/workers", { work_pool_id: "pool" }],
  ],
  ["GET /workerpool/workers", 1, () => ["/workerpool/workers"]],
  [
    "GET /workerpool/workers/{worker_id}",
    1,
    ({ worker }) => [`/workerpool/workers/${worker}`],
  ],
  [
    "GET /workerpool/workers/{worker_id}/metrics",
    1,
    ({ worker }) => [`/workerpool/workers/${worker}/metrics?interval=5m`],
  ],
  [
    "POST /workerpool/workers/{worker_id}/drain",
    1,
    ({ worker }) => [`/workerpool/workers/${worker}/drain`],
  ],
  [
    "POST /workerpool/workers/{worker_id}/resume",
    1,
    ({ worker }) => [`/workerpool/workers/${worker}/resume`],
  ],
  [
    "DELETE /workerpool/workers/{worker_id}",
    2,
    ({ idle }) => [`/workerpool/workers/${idle}`],
  ],
];

/** Creates the objects of a {@linkcode Scene}. */
export async function createScene(
  grid: TestGrid,
  api: Api = createApiClient(grid),
): Promise<Scene> {
  await api.pool();
  const { workerId: worker, claimed: { id, fencing_token } } = await api
    .running();
  const handedOver = (await api.running()).claimed.id;
  const request = { reason: "sign in" };
  await api.call("POST", `/sessions/${handedOver}/handover`, request);
  const { body: { id: webhook } } = await api.call(
    "POST",
    "/webhooks",
    WEBHOOK,
  );
  const test = await api.call("POST", `/webhooks/${webhook}/test`);
  const link = await api.call("POST", `/sessions/${id}/live-links`);
  return {
    api,
    link: link.body.id,
    worker,
    idle: await api.worker(),
    id,
    fencing_token,
    handedOver,
    webhook,
    delivery: test.body.id,
  };
}

/** Returns the endpoints of the grid whose paths match, except those that also use a browser, and the endless one. */
export async function listEndpoints(
  grid: TestGrid,
  path: RegExp,
): Promise<readonly string[]> {
  const document = await (await grid.request("/openapi.json")).json();
  const ofGateway = /\/(cdp|tunnel|screenshot|pdf|content|stream|live)(\/|$)/;
  return Object.entries<object>(document.paths).flatMap(([each, methods]) =>
    path.test(each) && !ofGateway.test(each)
      ? Object.keys(methods).map((method) =>
        `${method.toUpperCase()} ${each.replace("/v1", "")}`
      )
      : []
  );
}
