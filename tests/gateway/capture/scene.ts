import type { WebSocket } from "ws";
import { fakePage, RESULTS, type Results } from "../../support/fake_page.ts";
import { within } from "../../support/within.ts";
import {
  type GatewayScene,
  gatewayScene,
  type SceneOptions,
} from "../scene.ts";

/** Last path segments of the capture routes. */
export const CAPTURES = ["screenshot", "pdf", "content"];

/** Longer than the timeout of a capture. */
export const LATE_MS = 25_001;

/** Takes over the socket of a page. */
type Page = (socket: WebSocket) => void;

/** Creates a scene whose only page responds with `results`. */
export function captureScene(
  results: Results = RESULTS,
  options: SceneOptions = {},
): Promise<GatewayScene> {
  return gatewayScene({ upstream: { page: fakePage(results) }, ...options });
}

/** Creates a scene whose only page responds to each command with the message that `respond` returns. */
export function scriptedScene(
  respond: (method: string) => Readonly<Record<string, unknown>>,
  options: SceneOptions = {},
): Promise<GatewayScene> {
  const page: Page = (socket) => {
    socket.on("message", (data) => {
      const { id, method } = JSON.parse(String(data));
      socket.send(JSON.stringify({ id, ...respond(method) }));
    });
  };
  return gatewayScene({ upstream: { page }, ...options });
}

/** A page that does not respond to one command. */
export interface HangingPage {
  readonly page: Page;
  /** Resolves when the page has received the command. */
  readonly received: Promise<void>;
}

/** Creates a page that does not respond to `method`. */
export function hangingPage(method: string): HangingPage {
  const { promise, resolve } = Promise.withResolvers<void>();
  const respond = fakePage({ ...RESULTS, [method]: undefined });
  return {
    page(socket) {
      respond(socket);
      socket.on("message", (data) => {
        if (String(data).includes(`"${method}"`)) resolve();
      });
    },
    received: within(promise, { what: "the page gets a command", ms: 10_000 }),
  };
}

/** Resolves when all streams that the server has opened to the browser are closed. */
export async function waitForStreamsClosed(
  { upstream }: GatewayScene,
): Promise<void> {
  const closed = upstream.sockets.map((socket) =>
    new Promise<void>((resolve) => {
      if (socket.closed) resolve();
      else socket.once("close", () => resolve());
    })
  );
  await within(Promise.all(closed), {
    what: "the stream to the page is closed",
    ms: 5_000,
  });
}
