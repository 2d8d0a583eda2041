/** Built-in apps, middleware and providers. No other module imports an implementation. */
import type { App } from "./core/app.ts";
import { dashboardApp } from "./dashboard/app.ts";
import { gateway } from "./gateway/app.ts";
import { handoverConditions } from "./gateway/handover/app.ts";
import { liveView } from "./gateway/live/app.ts";
import { tunnels } from "./gateway/tunnel/app.ts";
import { API_APPS } from "./installed_api.ts";

export { MIDDLEWARE, PROVIDERS } from "./installed_api.ts";

/** Apps, each after the apps that it needs. */
export const APPS: readonly App[] = [
  ...API_APPS,
  tunnels,
  gateway,
  handoverConditions,
  liveView,
  dashboardApp,
];
