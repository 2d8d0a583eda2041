import type { CallOptions, Transport } from "./transport.ts";
import type { DevtoolsJson } from "./browser_methods.ts";

/** Endpoints of the server itself. */
export interface SystemMethods {
  /** Whether the server lives. */
  health(options?: CallOptions): Promise<{ readonly status: "ok" }>;
  /** Whether it can serve; throws `ApiError` with the reason if not. */
  ready(options?: CallOptions): Promise<{ readonly status: "ready" }>;
  /** The description of the API, OpenAPI 3.1. */
  apiDocument(options?: CallOptions): Promise<Record<string, unknown>>;
  /** As Chrome's `/json/version`, for the WebSocket that makes a session. */
  connectVersion(options?: CallOptions): Promise<DevtoolsJson>;
}

/** The methods over `exchange`. */
export function systemMethods({ json }: Transport): SystemMethods {
  return {
    health: (options) => json("GET", "/health", options),
    ready: (options) => json("GET", "/ready", options),
    apiDocument: (options) => json("GET", "/openapi.json", options),
    connectVersion: (options) =>
      json("GET", "/v1/connect/json/version", options),
  };
}
