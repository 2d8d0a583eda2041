/**
 * Checks of every request and upgrade that no setting can remove from the middleware.
 *
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";
import { getCaller } from "../auth/access.ts";
import { isAnonymous } from "../../core/caller.ts";
import { type BaseUrlSettings, createBaseUrlReader } from "../base_url.ts";
import { getRequestUrl } from "../request_url.ts";
import { GridError } from "../../core/errors.ts";
import { createHostMatcher, type HostSettings } from "./known_hosts.ts";
import { isLoopback } from "../../core/network.ts";
import type { GridEnv } from "../../core/middleware.ts";
import type { Settings } from "../../core/settings.ts";
import { truncate } from "../../core/text.ts";

/** Maximum length of a path, in characters as sent. The longest path of the API takes 1,000. */
export const MAX_PATH = 2_048;

/** Maximum length of a host in an error message. */
const MAX_HOST = 100;

/**
 * Rejects malformed requests before the key is checked, and determines the URL under which the client reached the
 * server.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-3.2 RFC 9112, 3.2}: more than one Host is 400.
 * @throws {GridError} `uri_too_long`, `malformed_request`.
 */
export function checkHead(
  settings: BaseUrlSettings,
): MiddlewareHandler<GridEnv> {
  const baseUrlOf = createBaseUrlReader(settings);
  return async function checkHeadOf(c, next) {
    const { length } = getRequestUrl(c).pathname;
    if (length > MAX_PATH) {
      throw new GridError(
        "uri_too_long",
        `Cannot read the request: its path has ${length} characters, expected at most ${MAX_PATH}`,
      );
    }
    if (listHosts(c).length > 1) {
      throw new GridError(
        "malformed_request",
        "Cannot read the request: it has several Host headers, expected one",
      );
    }
    c.set("baseUrl", baseUrlOf(c));
    await next();
  };
}

/** Returns every `Host` header. Platforms with only `fetch` join several with commas. */
function listHosts({ req, env }: Context<GridEnv>): readonly string[] {
  const raw = env?.incoming?.rawHeaders;
  if (!raw) return req.header("host")?.split(",") ?? [];
  return raw.filter((_, at) =>
    at % 2 === 1 && raw[at - 1]?.toLowerCase() === "host"
  );
}

/**
 * Rejects requests for an unknown host name. By DNS rebinding, a page can point its own name at this machine and read
 * the responses. A request with a key is accepted, because such a page has none.
 *
 * `X-Forwarded-Host` is ignored, because pages can also set it.
 *
 * If keys are always required, load balancers may request probes under any name.
 *
 * @throws {GridError} `host_not_allowed`.
 */
export function checkHost(
  settings: HostSettings & Pick<Settings, "api_key">,
): MiddlewareHandler<GridEnv> {
  const isKnown = createHostMatcher(settings);
  const needsKeys = settings.api_key !== undefined ||
    !isLoopback(settings.host);
  return async function checkHostOf(c, next) {
    const isProbe = needsKeys && c.get("route")?.declaration.acceptsAnyHost;
    if (isAnonymous(getCaller(c)) && !isProbe) {
      // Of an absolute URL in the request line, which takes precedence over the header.
      const { host } = getRequestUrl(c);
      if (!isKnown(host)) throw hostNotAllowed(host);
      const header = c.req.header("host") ?? host;
      if (header !== host && !isKnown(header)) throw hostNotAllowed(header);
    }
    await next();
  };
}

function hostNotAllowed(host: string): GridError {
  return new GridError(
    "host_not_allowed",
    `Cannot serve host "${
      truncate(host, MAX_HOST)
    }": it is not a known name of this server, expected localhost, the host of public_url, or one of the setting allowed_hosts`,
  );
}
