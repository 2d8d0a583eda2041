/**
 * Checks of every request and upgrade that no setting takes out of the middleware.
 *
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";
import { callerIn } from "./access.ts";
import { isAnonymous } from "./auth.ts";
import { baseUrl, type BaseUrlSettings } from "./base_url.ts";
import { GridError } from "./errors.ts";
import { type HostSettings, knownHosts } from "./known_hosts.ts";
import { isLoopback } from "./loopback.ts";
import type { GridEnv } from "./middleware.ts";
import type { Settings } from "./settings.ts";
import { truncate } from "./truncate.ts";

/** Longest path, in characters as it is sent. The longest that the API has takes 1,000. */
export const MAX_PATH = 2_048;

/** Longest host that is repeated to its client. */
const MAX_HOST = 100;

/** What load balancers ask, by whatever name they know a server. */
const PROBES = new Set(["/health", "/ready"]);

/**
 * Rejects what no honest client sends, before a key is asked for, and finds out how the client has reached the server.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-3.2 RFC 9112, 3.2}: more than one Host is 400.
 * @throws {GridError} `uri_too_long`, `malformed_request`.
 */
export function checkHead(
  settings: BaseUrlSettings,
): MiddlewareHandler<GridEnv> {
  const baseUrlOf = baseUrl(settings);
  return async function checkHeadOf(c, next) {
    const { length } = new URL(c.req.url).pathname;
    if (length > MAX_PATH) {
      throw new GridError(
        "uri_too_long",
        `Cannot read the request: its path has ${length} characters, expected at most ${MAX_PATH}`,
      );
    }
    if (hostsOf(c).length > 1) {
      throw new GridError(
        "malformed_request",
        "Cannot read the request: it has several Host headers, expected one",
      );
    }
    c.set("baseUrl", baseUrlOf(c));
    await next();
  };
}

/** Every `Host` header. Platforms that have only `fetch` join several with commas. */
function hostsOf({ req, env }: Context<GridEnv>): readonly string[] {
  const raw = env?.incoming?.rawHeaders;
  if (!raw) return req.header("host")?.split(",") ?? [];
  return raw.filter((_, at) =>
    at % 2 === 1 && raw[at - 1]?.toLowerCase() === "host"
  );
}

/**
 * Rejects requests that come by a foreign name: a page can have its own name lead to this machine, and would read the
 * answers as its own. One that shows a key is no such page's: pages have none.
 *
 * What proxies write into `X-Forwarded-Host` is not looked at: pages can write it, too.
 *
 * Where keys are always needed, load balancers may ask for {@linkcode PROBES} by any name.
 *
 * @throws {GridError} `host_not_allowed`.
 */
export function checkHost(
  settings: HostSettings & Pick<Settings, "api_key">,
): MiddlewareHandler<GridEnv> {
  const isKnown = knownHosts(settings);
  const needsKeys = settings.api_key !== undefined ||
    !isLoopback(settings.host);
  return async function checkHostOf(c, next) {
    const isProbe = needsKeys && PROBES.has(c.req.path);
    if (isAnonymous(callerIn(c)) && !isProbe) {
      for (const host of askedHosts(c)) {
        if (host !== undefined && !isKnown(host)) throw hostNotAllowed(host);
      }
    }
    await next();
  };
}

/** The `Host`, if there is one, and that of a whole URL in the request line, which counts instead. */
function askedHosts(
  { req }: Context<GridEnv>,
): readonly (string | undefined)[] {
  return [new URL(req.url).host, req.header("host")];
}

function hostNotAllowed(host: string): GridError {
  return new GridError(
    "host_not_allowed",
    `Cannot serve host "${
      truncate(host, MAX_HOST)
    }": it is not known as this server's, expected localhost, the host of public_url, or one of the setting allowed_hosts`,
  );
}
