import type { CallOptions, Transport } from "./transport.ts";
import type { DevtoolsJson } from "./browser_methods.ts";

/** Endpoints of the server itself. */
export interface SystemMethods {
  /** Checks that the server runs. */
  checkHealth(options?: CallOptions): Promise<{ readonly status: "ok" }>;
  /** Checks that the server can serve requests. The error contains the reason if it cannot. */
  checkReady(options?: CallOptions): Promise<{ readonly status: "ready" }>;
  /** Returns the metrics, in the text format of Prometheus. */
  getMetrics(options?: CallOptions): Promise<string>;
  /** Returns the API description, in OpenAPI 3.1. */
  getApiDocument(options?: CallOptions): Promise<Record<string, unknown>>;
  /** Returns the grid's `/json/version`, for clients that create a session by connecting. */
  getConnectVersion(options?: CallOptions): Promise<DevtoolsJson>;
}

/** Creates the methods over `transport`. */
export function createSystemMethods(transport: Transport): SystemMethods {
  return {
    checkHealth: (options) => transport.json("GET", "/health", options),
    checkReady: (options) => transport.json("GET", "/ready", options),
    getMetrics: (options) => transport.text("GET", "/metrics", options),
    getApiDocument: (options) =>
      transport.json("GET", "/openapi.json", options),
    getConnectVersion: (options) =>
      transport.json("GET", "/v1/connect/json/version", options),
  };
}
