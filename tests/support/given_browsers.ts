/**
 * A plugin with a provider "given": its browsers are there already, where the session's environment says: `ENDPOINT`.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { definePlugin } from "../../src/plugin/plugin.ts";
import {
  type BrowserExit,
  defineProvider,
  type RunningBrowser,
} from "../../src/core/provider.ts";

const given = defineProvider({
  name: "given",
  displayName: "Given",
  description: "Browsers that are there already",
  configSchema: z.strictObject({}),
  browsers: () => [{ browser: "chromium", versions: ["latest"] }],
  deployCommand: () => "true",
  open: () =>
    Promise.resolve({
      check: () => Promise.resolve([]),
      start: ({ environment }, sessionId) =>
        Promise.resolve(browserAt(environment["ENDPOINT"] ?? "", sessionId)),
      adopt: () => Promise.resolve([]),
      sweep: () => Promise.resolve([]),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
});

export default definePlugin({ name: "given_browsers", providers: [given] });

function browserAt(endpoint: string, sessionId: string): RunningBrowser {
  const exited = Promise.withResolvers<BrowserExit>();
  return {
    sessionId,
    endpoint: new URL(endpoint),
    details: {},
    exited: exited.promise,
    stop() {
      exited.resolve({ reason: "stopped", detail: "it was asked to" });
      return Promise.resolve();
    },
  };
}
