/** Built-in apps and middleware that need only `fetch`, one line each. */
import { eventsApp } from "./apps/events/app.ts";
import { handoverApp } from "./apps/handover/app.ts";
import { keysApp } from "./apps/keys/app.ts";
import { liveApp } from "./apps/live/app.ts";
import { metricsApp } from "./apps/metrics/app.ts";
import { scalingApp } from "./apps/scaling/app.ts";
import { sessionsApp } from "./apps/sessions/app.ts";
import { webhooksApp } from "./apps/webhooks/app.ts";
import { workerPoolApp } from "./apps/workerpool/app.ts";
import { workersApp } from "./apps/workers/app.ts";
import type { App } from "./core/app.ts";
import type { Middleware } from "./core/middleware.ts";
import { apiKey } from "./middleware/api_key.ts";
import { bodyLimit } from "./middleware/body_limit.ts";
import { compress } from "./middleware/compress.ts";
import { cors } from "./middleware/cors.ts";
import { rateLimit } from "./middleware/rate_limit.ts";
import { requestLog } from "./middleware/request_log.ts";
import { securityHeaders } from "./middleware/security_headers.ts";

export { PROVIDERS } from "./installed_providers.ts";

/** Apps with endpoints, each after the apps that it needs. */
export const API_APPS: readonly App[] = [
  keysApp,
  workerPoolApp,
  sessionsApp,
  workersApp,
  scalingApp,
  eventsApp,
  liveApp,
  handoverApp,
  webhooksApp,
  metricsApp,
];

/** Middleware in the default order of incoming requests. */
export const MIDDLEWARE: readonly Middleware[] = [
  requestLog,
  securityHeaders,
  cors,
  compress,
  bodyLimit,
  apiKey,
  rateLimit,
];
