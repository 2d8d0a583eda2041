/**
 * Which arguments a session may give its browser. Its owner has the whole of CDP anyway; what arguments could add is power
 * over the host, over the grid, or over other sessions, and that is what is kept from them.
 *
 * ```text
 * whyNever()       no pool can allow it
 * onlyByName()     a pool's list allows it by its full name, not by a star
 * otherwise        a pool's list allows it by name or star; HARMLESS_ARGUMENTS where a pool has no list
 * ```
 *
 * @module
 */
import { anyCase } from "../../core/reserved_variables.ts";
import { argumentName } from "../../core/browser_spec.ts";

/** What is allowed where a pool says nothing: looks and language, and nothing that makes the browser trust or do more. */
export const HARMLESS_ARGUMENTS: readonly string[] = [
  // What pages take the browser and its user for.
  "--accept-lang",
  "--enable-automation",
  "--lang",
  "--touch-events",
  "--user-agent",
  // The window, and the screen that it believes to be on.
  "--force-device-scale-factor",
  "--kiosk",
  "--screen-info",
  "--start-fullscreen",
  "--start-maximized",
  "--window-position",
  "--window-size",
  // How pages are drawn; screenshots that are the same each time.
  "--animation-duration-scale",
  "--default-background-color",
  "--disable-checker-imaging",
  "--disable-font-subpixel-positioning",
  "--disable-image-animation-resync",
  "--disable-lcd-text",
  "--disable-remote-fonts",
  "--disable-smooth-scrolling",
  "--disable-threaded-animation",
  "--font-render-hinting",
  "--force-color-profile",
  "--force-dark-mode",
  "--force-high-contrast",
  "--force-prefers-no-reduced-motion",
  "--force-prefers-reduced-motion",
  "--force-renderer-accessibility",
  "--generate-pdf-document-outline",
  "--hide-scrollbars",
  "--run-all-compositor-stages-before-draw",
  // Sound, and a camera that is none.
  "--autoplay-policy",
  "--disable-audio-output",
  "--mute-audio",
  "--use-fake-device-for-media-stream",
  // Less of what the browser can do. Not --disable-features: that has protections among its names.
  "--deny-permission-prompts",
  "--disable-3d-apis",
  "--disable-accelerated-2d-canvas",
  "--disable-blink-features",
  "--disable-extensions",
  "--disable-gpu",
  "--disable-notifications",
  "--disable-reading-from-canvas",
  "--disable-shared-workers",
  "--disable-speech-api",
  "--no-pings",
  // Which of its addresses WebRTC tells a page: the default tells most.
  "--force-webrtc-ip-handling-policy",
  "--webrtc-ip-handling-policy",
];

/** What breaks the grid, or starts a program of the client's choice on the worker's host; and why. */
const FORBIDDEN: readonly (readonly [RegExp, string])[] = [
  [/^--remote-/, "it is how the grid, and nobody else, reaches the browser"],
  [/^--user-data-dir$/, "each session has a profile of its own"],
  [/^--headless$/, "a session says it by headless"],
  [/^--proxy-server$/, "a session says it by proxy"],
  [/^--type$/, "it makes another process of the browser"],
  [
    /-cmd-prefix$|-launcher$|^--browser-subprocess-path$/,
    "it starts a program on the worker's host",
  ],
  // Debian's /usr/bin/chromium is a script; its debugger would read the other arguments as a shell does.
  [
    /^--(debug|temp-profile)$/,
    "launchers of Chromium take it for themselves",
  ],
];

/** Pattern of list entries that no pool can allow, with or without a star. */
export const FORBIDDEN_PATTERN: string = anyCase(
  FORBIDDEN.map(([{ source }]) => source.replaceAll("$", "@$")).join("|"),
).replaceAll("@", "\\*?");

/** What a star may reach by accident: `--disable-*` is not meant to be `--disable-web-security`. */
const FULL_NAME_ONLY: readonly RegExp[] = [
  // The walls between pages, and between them and the host.
  /sandbox|security|isolat|zygote|process/,
  // Whom and what the browser trusts.
  /unsafe|insecure|certificate|^--(allow|ignore|test)-/,
  // Files of the worker's host.
  /-(dir|file|path|log)$|^--(load|log|trace)-|extensions-except$/,
  /^--(screenshot|print-to-pdf|pack-extension|use-file-for-)/,
  // Where its traffic goes.
  /^--(no-)?proxy-|^--host-/,
  // Settings of many kinds at once, --enable-blink-features=MojoJS among them.
  /^--(js-flags|blink-settings|(enable|disable)-features|enable-blink-features)$/,
];

/** Why no pool can allow the argument `name`, or undefined if one can. */
export function findForbiddenReason(name: string): string | undefined {
  // Chromium takes names in capitals for others, but not on Windows.
  const plain = name.toLowerCase();
  return FORBIDDEN.find(([pattern]) => pattern.test(plain))?.[1];
}

/**
 * Those of `asked` that a pool with the list `allowed` does not let through, by name, each once.
 *
 * @param asked As `argumentsSchema` takes them.
 * @param allowed Names, or beginnings with a star; null: {@linkcode HARMLESS_ARGUMENTS}.
 */
export function findRejectedArguments(
  asked: readonly string[],
  allowed: readonly string[] | null,
): readonly string[] {
  const list = allowed ?? HARMLESS_ARGUMENTS;
  const names = new Set(asked.map(argumentName));
  return [...names].filter((name) => !isAllowed(name, list));
}

function isAllowed(name: string, list: readonly string[]): boolean {
  if (findForbiddenReason(name) !== undefined) return false;
  if (list.includes(name)) return true;
  return !requiresFullName(name) &&
    list.some((entry) =>
      entry.endsWith("*") && name.startsWith(entry.slice(0, -1))
    );
}

function requiresFullName(name: string): boolean {
  const plain = name.toLowerCase();
  return FULL_NAME_ONLY.some((pattern) => pattern.test(plain));
}
