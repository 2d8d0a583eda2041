/**
 * What Chrome says of itself and of what is open in it, with the grid's addresses in place of its own.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import type { ToConnectUrl } from "./connect_urls.ts";

export const devtoolsObjectSchema = z.record(z.string(), z.unknown());

export type DevtoolsObject = z.infer<typeof devtoolsObjectSchema>;

/** A WebSocket's address in the examples of the description of the API. */
export const SOCKET_EXAMPLE =
  "ws://127.0.0.1:8765/v1/sessions/01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d/cdp";

/** A target as the description of the API shows it. */
export const TARGET_EXAMPLE = {
  id: "36CD91EC19BF97E044B0920CEB230779",
  type: "page",
  title: "Example",
  url: "https://example.com/",
  devtoolsFrontendUrl:
    "devtools://devtools/bundled/inspector.html?ws=127.0.0.1%3A8765%2Fv1%2Fsessions%2F01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d%2Fcdp%2Fdevtools%2Fpage%2F36CD91EC19BF97E044B0920CEB230779",
  webSocketDebuggerUrl:
    `${SOCKET_EXAMPLE}/devtools/page/36CD91EC19BF97E044B0920CEB230779`,
};

/** Members of Chrome's answers that show its own address. */
const ADDRESS_FIELDS = [
  "devtoolsFrontendUrl",
  "devtoolsFrontendUrlCompat",
  "webSocketDebuggerUrl",
];

/** A browser with the grid's address. */
export function renderBrowser(
  browser: DevtoolsObject,
  toUrl: ToConnectUrl,
): DevtoolsObject {
  return { ...omitAddresses(browser), webSocketDebuggerUrl: toUrl("") };
}

/** A target with the grid's addresses. */
export function renderTarget(
  target: DevtoolsObject,
  toUrl: ToConnectUrl,
): DevtoolsObject {
  const url = toUrl(findSocketPath(target));
  return {
    ...omitAddresses(target),
    devtoolsFrontendUrl: renderFrontendUrl(target, url),
    webSocketDebuggerUrl: url,
  };
}

function omitAddresses(described: DevtoolsObject): DevtoolsObject {
  return Object.fromEntries(
    Object.entries(described).filter(([name]) =>
      !ADDRESS_FIELDS.includes(name)
    ),
  );
}

function findSocketPath({ webSocketDebuggerUrl }: DevtoolsObject): string {
  return URL.parse(toText(webSocketDebuggerUrl))?.pathname ?? "";
}

/**
 * Address of the DevTools front end that every Chrome brings, connected to a target. Not of the one in the network that
 * Chrome names: its server would be sent the token.
 */
function renderFrontendUrl(
  { devtoolsFrontendUrl }: DevtoolsObject,
  socketUrl: string,
): string {
  const [, page = "inspector.html"] =
    /\/(\w+\.html)\?/.exec(toText(devtoolsFrontendUrl)) ?? [];
  const { protocol, host, pathname, search } = new URL(socketUrl);
  const scheme = protocol.slice(0, -1);
  const address = encodeURIComponent(host + pathname + search);
  return `devtools://devtools/bundled/${page}?${scheme}=${address}`;
}

function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
