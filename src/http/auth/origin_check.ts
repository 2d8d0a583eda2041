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

/** Methods that change nothing, and whose responses pages of other origins cannot read. */
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** Values of `Sec-Fetch-Site` in requests of other sites' pages. */
const FOREIGN = new Set(["cross-site", "same-site"]);

/** Origin of Chrome's built-in DevTools. No page of a site can have it. */
const DEVTOOLS = "devtools://devtools";

/** Maximum length of an origin in an error message. */
const MAX_ORIGIN = 200;

/** Headers with which browsers describe the requesting page. Other clients send no origin. */
export interface PageHeaders {
  readonly origin: string | undefined;
  readonly host: string | undefined;
  /** URL of the server as the client reaches it. */
  readonly baseUrl?: string;
  /** True if the request has the cookie of a sign-in, which every page of the host sends. "*" does not allow it then. */
  readonly isSignedIn?: boolean;
}

/**
 * Rejects a request of another site's page, which must not use a visitor's grid.
 *
 * @throws {GridError} `origin_not_allowed`.
 */
export function checkOrigin(
  settings: OriginSettings,
  { origin, host, baseUrl, isSignedIn = false }: PageHeaders,
): void {
  if (origin === undefined) return;
  const { allowed_origins, public_url } = settings;
  const isAllowed = origin === DEVTOOLS ||
    !isSignedIn && allowed_origins.includes("*") ||
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

/** Reports whether an origin is this server's. An unknown name is not, because an attacker's DNS could resolve it here. */
function isServerOrigin(
  settings: HostSettings,
  origin: string,
  host: string | undefined,
): boolean {
  return host !== undefined && URL.parse(origin)?.host === host &&
    createHostMatcher(settings)(host);
}

/**
 * Returns middleware of the whole router that rejects unsafe requests of other sites' pages without a key. If no key is
 * needed, any page could otherwise make a visitor's browser pause a pool with a request without a body.
 */
export function rejectForeignPages(
  settings: OriginSettings,
): MiddlewareHandler<GridEnv> {
  return async function rejectForeignPage(c, next) {
    if (!SAFE.has(c.req.method)) checkPage(settings, c);
    await next();
  };
}

/**
 * Rejects one request of another site's page, of any method. A GET route that changes something must call it, because an
 * image of another site sends such a request without an origin.
 *
 * @see {@link https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header Fetch Metadata: Sec-Fetch-Site}
 * @throws {GridError} `origin_not_allowed`.
 */
export function checkPage(settings: OriginSettings, c: Context<GridEnv>): void {
  const host = c.req.header("host");
  const origin = c.req.header("origin");
  const isForeign = FOREIGN.has(c.req.header("sec-fetch-site") ?? "");
  if (origin === undefined && !isForeign) return;
  const caller = getCaller(c);
  // Browsers send the cookie of a sign-in with requests of any page of the host.
  const hasKey = !isAnonymous(caller) && caller.signedInUntil === undefined;
  if (hasKey || isCors(c)) return;
  // An image has no origin that could be allowed.
  checkOrigin(settings, {
    origin: origin ?? (isForeign ? "null" : origin),
    host,
    baseUrl: getBaseUrl(c),
    isSignedIn: caller.signedInUntil !== undefined,
  });
}

/** Reports whether middleware `cors` has accepted the origin, which its options may allow in addition to the setting. */
function isCors(c: Context<GridEnv>): boolean {
  return c.res.headers.has("access-control-allow-origin");
}
