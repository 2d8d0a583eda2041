import type { BrowserSpec } from "../../core/browser_spec.ts";
import { renderChromiumFlags } from "../kit/chromium_flags.ts";
import { quoteArgument } from "../kit/quote_argument.ts";
import type { LocalConfig } from "./config.ts";

/** Renders the command that starts the same browser. Values of variables are shown as `...`. */
export function renderCommand(
  spec: BrowserSpec,
  { executable_path = "chromium", arguments: more }: LocalConfig,
): string {
  const variables = Object.keys(spec.environment).map((name) =>
    `${name}=\u2026`
  );
  const flags = [
    "--remote-debugging-port=9222",
    ...renderChromiumFlags(spec, { more }),
  ];
  return [...variables, executable_path, ...flags.map(quoteArgument)].join(" ");
}
