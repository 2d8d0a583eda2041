/**
 * Browsers as processes on the worker's own host.
 *
 * ```text
 * provider.ts ─▶ host.ts ─▶ find_browser.ts, install_browser.ts ─▶ launch.ts ─▶ local_browser.ts ─▶ process_group.ts
 *                   │                                                  └─▶ sandbox/: isolates the session from the host
 *                   └─────▶ record.ts: what is left to adopt or sweep
 * ```
 *
 * Each browser has a folder with its profile, its output and its record; it is in a process group of its own and
 * outlives a worker that is killed, so that the next one can adopt it.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { defineProvider } from "../../core/provider.ts";
import { renderChromiumFlags } from "../kit/chromium_flags.ts";

export const localConfigSchema = z.strictObject({
  executable_path: z.string().min(1).optional().describe(
    "Path of the browser; by default one is looked for, or installed",
  ),
  arguments: z.array(z.string().startsWith("--")).default([]).describe(
    "More arguments for the browser",
  ),
  sandbox: z.enum(["auto", "on", "off"]).default("auto").describe(
    "The browser's own sandbox; auto: on, but for root",
  ),
});

export type LocalConfig = z.infer<typeof localConfigSchema>;

/** The provider `local`. */
export const local = defineProvider({
  name: "local",
  displayName: "Local process",
  description: "Each browser a process on the worker's host",
  configSchema: localConfigSchema,
  browsers: () =>
    (["chrome", "chromium"] as const).map((browser) => ({
      browser,
      versions: ["latest", "stable"],
    })),
  unsupported({ proxy }) {
    const isSocks4 = proxy?.proxy_url.startsWith("socks4:");
    if (isSocks4 && proxy?.proxy_username !== undefined) {
      return `it sends no user name to socks4 proxies such as "${proxy.proxy_url}", expected socks5, http or https`;
    }
    return proxy?.proxy_password !== undefined &&
        proxy.proxy_username === undefined
      ? `it sends no password without a user name to proxy "${proxy.proxy_url}", expected proxy_username`
      : undefined;
  },
  deployCommand(spec, { executable_path = "chromium", arguments: more }) {
    const variables = Object.keys(spec.environment).map((name) => `${name}=…`);
    const flags = [
      "--remote-debugging-port=9222",
      ...renderChromiumFlags(spec, { more }),
    ];
    return [...variables, executable_path, ...flags.map(quote)].join(" ");
  },
  async isolationProblem() {
    const { checkBoxSupport } = await import(
      "./sandbox/box_support.ts"
    );
    const support = await checkBoxSupport();
    return "problem" in support ? support.problem : undefined;
  },
  async open(config, host) {
    const { openLocalHost } = await import("./host.ts");
    return openLocalHost(config, host);
  },
});

function quote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument)
    ? argument
    : `'${argument.replaceAll("'", `'\\''`)}'`;
}
