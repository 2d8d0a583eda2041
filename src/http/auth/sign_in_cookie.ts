/**
 * The cookie of a person who has signed in at a page of this server. It contains a key that is valid nowhere else.
 *
 * @module
 */
import type { Context } from "hono";
import { setCookie } from "hono/cookie";
import { parse } from "hono/utils/cookie";
import { GridError } from "../../core/errors.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { getBaseUrl } from "../base_url.ts";

/**
 * Header of requests with the cookie that may change something. A page of another origin can send it only with the
 * server's permission.
 */
export const CSRF_HEADER = "x-browsergrid-csrf";

/** Methods that change nothing. */
const SAFE = new Set(["GET", "HEAD"]);

/** A request whose cookie is read. */
export interface CookieRequest {
  readonly headers: Headers;
  /** URL of the server as the client reaches it. */
  readonly baseUrl?: string | undefined;
}

/** Returns the key in the cookie of a request. */
export function readSignInCookie(
  { headers, baseUrl = "" }: CookieRequest,
): string | undefined {
  const cookies = headers.get("cookie");
  if (cookies === null) return undefined;
  const name = renderName(headers.get("host"), isSecure(baseUrl));
  return parse(cookies, name)[name];
}

/** Sets the cookie in the response; removes it if `key` is undefined. Scripts cannot read it. */
export function setSignInCookie(
  c: Context<GridEnv>,
  key: string | undefined,
  maxAgeSeconds = 0,
): void {
  const secure = isSecure(getBaseUrl(c));
  setCookie(c, renderName(c.req.header("host") ?? null, secure), key ?? "", {
    httpOnly: true,
    sameSite: "Strict",
    secure,
    path: "/",
    maxAge: maxAgeSeconds,
  });
}

/**
 * Rejects a request with the cookie that may change something and lacks {@linkcode CSRF_HEADER}.
 *
 * @throws {GridError} `forbidden`.
 */
export function requireCsrfHeader(method: string, headers: Headers): void {
  if (SAFE.has(method) || headers.get(CSRF_HEADER) === "1") return;
  throw new GridError(
    "forbidden",
    `Cannot accept the request: it has the cookie of a sign-in and no header ${CSRF_HEADER}, expected ${CSRF_HEADER}: 1, or a key in X-API-Key`,
  );
}

function isSecure(baseUrl: string): boolean {
  return baseUrl.startsWith("https:");
}

/**
 * Returns the name of the cookie, with the port: cookies of one host are shared by all its ports. With `__Host-`, no
 * other host of the domain can set it.
 */
function renderName(host: string | null, secure: boolean): string {
  const [, port] = /:(\d{1,5})$/.exec(host ?? "") ?? [];
  const name = port === undefined
    ? "browsergrid_sign_in"
    : `browsergrid_sign_in_${port}`;
  return secure ? `__Host-${name}` : name;
}
