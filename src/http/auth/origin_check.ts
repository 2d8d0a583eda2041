import type { Context, MiddlewareHandler } from "hono";
import { getCaller } from "./access.ts";
import { isAnonymous } from "../../core/caller.ts";
import { getBaseUrl } from "../base_url.ts";
import { GridError } from "../../core/errors.ts";
import { createHostMatcher, type HostSettings } from "../server/known_hosts.ts";
import type { GridEnv } from "../../core/middleware.ts";
import type { Settings } from "../../core/settings.ts";
import { truncate } from "../../core/text.ts";

type OriginSettings = HostSettings & Pick<Settings, "allowed_origins">;

/** Methods that change nothing. What they answer, a page of another origin cannot read. */
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** What `Sec-Fetch-Site` says of a request of another site's page. */
const FOREIGN = new Set(["cross-site", "same-site"]);

/** Origin of the front end that every Chrome brings. No site's page can be of it. */
const DEVTOOLS = "devtools://devtools";

/** Maximum length of an origin in an error message. */
const MAX_ORIGIN = 200;

/** What browsers tell of the page that sends a request; other clients send no origin. */
export interface PageHeaders {
  readonly origin: string | undefined;
  readonly host: string | undefined;
  /** URL of the server as the client reaches it. */
  readonly baseUrl?: string;
}

/**
 * Refuses a request of another site's page: it must not use a visitor's grid.
 *
 * @throws {GridError} `origin_not_allowed`.
 */
export function checkOrigin(
  settings: OriginSettings,
  { origin, host, baseUrl }: PageHeaders,
): void {
  if (origin === undefined) return;
  const { allowed_origins, public_url } = settings;
  const isAllowed = origin === DEVTOOLS || allowed_origins.includes("*") ||
    allowed_origins.includes(origin) ||
    public_url !== undefined && URL.parse(public_url)?.origin === origin ||
    isServerOrigin(settings, origin, host) ||
    baseUrl !== undefined && new URL(baseUrl).origin === origin &&
      isServerOrigin(settings, origin, new URL(baseUrl).host);
  if (isAllowed) return;
  throw new GridError(
    "origin_not_allowed",
    `Cannot serve origin "${
      truncate(origin, MAX_ORIGIN)
    }": it is not allowed, expected one of the setting allowed_origins`,
  );
}

/** A name is not trusted as the server's own, because an attacker's DNS server could resolve it to this machine. */
function isServerOrigin(
  settings: HostSettings,
  origin: string,
  host: string | undefined,
): boolean {
  return host !== undefined && URL.parse(origin)?.host === host &&
    createHostMatcher(settings)(host);
}

/**
 * Middleware of the whole router: where no key is asked for, a visitor's browser could be made to pause a pool, as it
 * sends a request without a body wherever a page tells it to. Whoever shows a key is no such browser.
 */
export function rejectForeignPages(
  settings: OriginSettings,
): MiddlewareHandler<GridEnv> {
  return async function refuseForeignPage(c, next) {
    if (!SAFE.has(c.req.method)) checkPage(settings, c);
    await next();
  };
}

/**
 * The same for one request, whatever its method. A GET that changes something must ask for it: an image of another
 * site's page sends it without an origin.
 *
 * @see {@link https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header Fetch Metadata: Sec-Fetch-Site}
 * @throws {GridError} `origin_not_allowed`.
 */
export function checkPage(settings: OriginSettings, c: Context<GridEnv>): void {
  if (!isAnonymous(getCaller(c)) || isCors(c)) return;
  const host = c.req.header("host");
  const origin = c.req.header("origin");
  const isForeign = FOREIGN.has(c.req.header("sec-fetch-site") ?? "");
  // An image has no origin that could be allowed.
  checkOrigin(settings, {
    origin: origin ?? (isForeign ? "null" : origin),
    host,
    baseUrl: getBaseUrl(c),
  });
}

/** Whether middleware `cors` has let the origin in: its options may name others than the setting. */
function isCors(c: Context<GridEnv>): boolean {
  return c.res.headers.has("access-control-allow-origin");
}
