/**
 * Renders Chrome's descriptions of itself and its targets with the grid's URLs in place of Chrome's.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import type { ConnectUrlBuilder } from "./connect_url_builder.ts";

/** Schema of one of Chrome's JSON descriptions; its fields differ between versions. */
export const devtoolsObjectSchema = z.record(z.string(), z.unknown());

/** One of Chrome's JSON descriptions. */
export type DevtoolsObject = z.infer<typeof devtoolsObjectSchema>;

/** WebSocket URL in the examples of the OpenAPI document. */
export const SOCKET_EXAMPLE =
  "ws://127.0.0.1:8765/v1/sessions/01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d/cdp";

/** Target in the examples of the OpenAPI document. */
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

/** Fields that contain Chrome's own address. */
const ADDRESS_FIELDS = [
  "devtoolsFrontendUrl",
  "devtoolsFrontendUrlCompat",
  "webSocketDebuggerUrl",
];

/** Renders a browser's description with the URL at which clients connect to it. */
export function renderBrowser(
  browser: DevtoolsObject,
  toUrl: ConnectUrlBuilder,
): DevtoolsObject {
  return { ...omitAddresses(browser), webSocketDebuggerUrl: toUrl("") };
}

/** Renders a target's description with the URLs at which clients connect to it. */
export function renderTarget(
  target: DevtoolsObject,
  toUrl: ConnectUrlBuilder,
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
 * Renders the URL of the DevTools front end that is built into Chrome, connected to a target. Chrome's description names
 * a front end on a public server, which would receive the token.
 */
function renderFrontendUrl(
  { devtoolsFrontendUrl }: DevtoolsObject,
  socketUrl: string,
): string {
  const [, page = "inspector.html"] =
    /\/(\w+\.html)\?/.exec(toText(devtoolsFrontendUrl)) ?? [];
  const { protocol, host, pathname, search } = new URL(socketUrl);
  const scheme = protocol.slice(0, -1);
  const socket = encodeURIComponent(host + pathname + search);
  return `devtools://devtools/bundled/${page}?${scheme}=${socket}`;
}

function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
