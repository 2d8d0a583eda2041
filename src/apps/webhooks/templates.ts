import type { EventFilter } from "../sessions/schemas/observations.ts";
import { QUEUE_LONG } from "./event_pattern.ts";

/** The events that a template selects. */
export interface Template {
  readonly event_pattern: string;
  readonly filters?: readonly EventFilter[];
}

/** Names of the templates of webhooks. */
export const TEMPLATE_NAMES = [
  "failing_responses",
  "console_errors",
  "uncaught_exceptions",
  "downloads",
  "navigation",
  "session_crashed",
  "queue_longer_than",
] as const;

/** Name of a template. */
export type TemplateName = (typeof TEMPLATE_NAMES)[number];

/** Events and filters of the templates. */
export const TEMPLATES: Readonly<Record<TemplateName, Template>> = {
  failing_responses: {
    event_pattern: "cdp:Network.responseReceived",
    filters: [
      { path: "params.response.status", operator: "ge", value: 400 },
    ],
  },
  console_errors: {
    event_pattern: "cdp:Runtime.consoleAPICalled",
    filters: [{ path: "params.type", operator: "eq", value: "error" }],
  },
  uncaught_exceptions: { event_pattern: "cdp:Runtime.exceptionThrown" },
  downloads: {
    event_pattern: "cdp:Browser.downloadWillBegin,cdp:Browser.downloadProgress",
    // The begin has no state.
    filters: [{ path: "params.state", operator: "ne", value: "inProgress" }],
  },
  navigation: {
    event_pattern: "cdp:Page.frameNavigated",
    // The main frame of a page.
    filters: [
      { path: "params.frame.parentId", operator: "exists", value: false },
    ],
  },
  session_crashed: { event_pattern: "session.crashed" },
  queue_longer_than: { event_pattern: QUEUE_LONG },
};
