/**
 * The events that a webhook selects: a pattern of events of the grid, names of browser events, or long queues.
 *
 * The database matches patterns with GLOB, where a star also matches dots. That is the rule of `type_pattern.ts` for every
 * pattern that {@linkcode isEventPattern} accepts: with a star at the end, no name follows another star.
 *
 * @module
 */
import type { EventTypes } from "../../core/app.ts";
import { GridError } from "../../core/errors.ts";
import {
  matchesPattern,
  noTypeMatches,
  renderPatterns,
} from "../events/type_pattern.ts";
import type { EventFilter } from "../sessions/schemas/observations.ts";
import { webhookProblems } from "./problems.ts";

/** Type of the event of a work pool whose queue is longer than a webhook's `queue_longer_than`. It is not recorded. */
export const QUEUE_LONG = "pool.queue_long";

/** Prefix of the names of browser events. */
const BROWSER_PREFIX = "cdp:";

/** Maximum number of browser events of a webhook. */
const MAX_BROWSER_EVENTS = 10;

const BROWSER_EVENT = String.raw`cdp:[A-Z]\w{0,39}\.\w{1,60}`;

/** Regular expression of lists of browser events. */
const BROWSER_EVENTS = `${BROWSER_EVENT}(,${BROWSER_EVENT}){0,${
  MAX_BROWSER_EVENTS - 1
}}`;

const IS_BROWSER_EVENTS = new RegExp(`^${BROWSER_EVENTS}$`);

/** Domains whose activation holds up pages or stands between them and devices, with the reason. */
const REJECTED_DOMAINS: Readonly<Record<string, string>> = {
  Fetch: "it pauses the requests of pages",
  Debugger: "it pauses the scripts of pages",
  DeviceAccess: "it holds up the requests of pages for devices",
  FedCm: "it holds up the logins of pages",
  SmartCardEmulation: "it replaces the smart cards of pages",
  WebAuthn: "it replaces the authenticators of pages",
};

/** Matches the patterns whose meaning is the same for GLOB. */
const EVENT_PATTERN =
  /^(?:(?:\*|[a-z0-9_]+)(?:\.(?:\*|[a-z0-9_]+))*\.[a-z0-9_]+|[a-z0-9_]+(?:\.[a-z0-9_]+)*(?:\.\*)*|\*(?:\.\*)*)$/;

/** The fields by which a webhook selects events. */
export interface Selection {
  readonly event_pattern: string;
  readonly filters: readonly EventFilter[];
  readonly queue_longer_than: number | null;
}

/** Reports whether `text` has the form of a pattern of events of the grid. */
export function isEventPattern(text: string): boolean {
  return EVENT_PATTERN.test(text);
}

/** Returns a regular expression for the field `event_pattern`. */
export function renderPatternRule(types: EventTypes): string {
  return `^(${renderPatterns(types)}|${
    QUEUE_LONG.replace(".", "\\.")
  }|${BROWSER_EVENTS})$`;
}

/**
 * Checks that a webhook selects events that exist, and that its fields fit together.
 *
 * @throws {GridError} `webhook_events_rejected`, `invalid_request` - the pattern has no known form or type.
 */
export function requireSelection(
  { event_pattern, filters, queue_longer_than }: Selection,
  known: EventTypes,
): void {
  const isBrowser = event_pattern.startsWith(BROWSER_PREFIX);
  const isQueue = event_pattern === QUEUE_LONG;
  if (isBrowser) requireBrowserEvents(event_pattern);
  else if (!isQueue) requireEventPattern(event_pattern, known);
  if (filters.length > 0 && !isBrowser) {
    throw rejected(
      `filters apply to browser events only, expected no filters, or an event_pattern such as "cdp:Network.responseReceived"`,
    );
  }
  if (isQueue !== (queue_longer_than !== null)) {
    throw rejected(
      isQueue
        ? `event_pattern "${QUEUE_LONG}" has no queue_longer_than, expected the number of sessions that may wait`
        : `queue_longer_than belongs to event_pattern "${QUEUE_LONG}", expected both or none`,
    );
  }
}

/** Creates the error of a webhook whose fields select no events. */
export function rejected(fault: string): GridError {
  return new GridError(
    webhookProblems.webhook_events_rejected,
    `Cannot select the events of the webhook: ${fault}`,
  );
}

function requireEventPattern(pattern: string, known: EventTypes): void {
  const types = Object.keys(known);
  const isKnown = isEventPattern(pattern) &&
    types.some((type) => matchesPattern(type, pattern));
  if (isKnown) return;
  throw noTypeMatches(pattern, types, { in: "body", path: "event_pattern" });
}

function requireBrowserEvents(pattern: string): void {
  if (!IS_BROWSER_EVENTS.test(pattern)) {
    const message =
      `"${pattern}" is no list of browser events, expected at most ${MAX_BROWSER_EVENTS} names such as "cdp:Page.loadEventFired", joined by commas without spaces`;
    const place = { in: "body" as const, path: "event_pattern", message };
    throw new GridError(
      "invalid_request",
      `Cannot use the body: event_pattern: ${message}`,
      { errors: [place] },
    );
  }
  for (const name of pattern.split(",")) {
    const [domain = ""] = name.slice(BROWSER_PREFIX.length).split(".");
    const reason = REJECTED_DOMAINS[domain];
    if (reason === undefined) continue;
    throw rejected(
      `"${name}" cannot be observed, because ${reason}, expected events of other domains such as "cdp:Network.responseReceived"`,
    );
  }
}
