/**
 * The arguments that a session may pass to its browser.
 *
 * The owner of a session controls the browser through CDP in any case. Arguments could in addition give power over the
 * host, the grid or other sessions, which these rules prevent.
 *
 * ```text
 * findForbiddenReason()   no pool can allow it
 * requiresFullName()      a pool's list allows it by its full name, not by a star
 * otherwise               a pool's list allows it by name or star; HARMLESS_ARGUMENTS if a pool has no list
 * ```
 *
 * @module
 */
import { anyCase } from "../../core/environment.ts";
import { argumentName } from "../../core/browser_spec.ts";

/** Arguments that are allowed in a pool without a list: appearance and language, but no further trust or abilities. */
export const HARMLESS_ARGUMENTS: readonly string[] = [
  // Identity of the browser and its user, as pages see it.
  "--accept-lang",
  "--enable-automation",
  "--lang",
  "--touch-events",
  "--user-agent",
  // The window and its screen.
  "--force-device-scale-factor",
  "--kiosk",
  "--screen-info",
  "--start-fullscreen",
  "--start-maximized",
  "--window-position",
  "--window-size",
  // Rendering, and reproducible screenshots.
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
  // Sound, and a fake camera.
  "--autoplay-policy",
  "--disable-audio-output",
  "--mute-audio",
  "--use-fake-device-for-media-stream",
  // Fewer abilities. Not --disable-features, which can also disable protections.
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
  // Addresses that WebRTC reveals to a page: the default reveals most.
  "--force-webrtc-ip-handling-policy",
  "--webrtc-ip-handling-policy",
];

/** Arguments that break the grid or start a program on the worker's host, with the reason. */
const FORBIDDEN: readonly (readonly [RegExp, string])[] = [
  [
    /^--remote-/,
    "it is how the grid, and no other program, reaches the browser",
  ],
  [/^--user-data-dir$/, "each session has its own profile"],
  [/^--headless$/, "a session sets it with headless"],
  [/^--proxy-server$/, "a session sets it with proxy"],
  [/^--type$/, "it selects another process type of the browser"],
  [
    /-cmd-prefix$|-launcher$|^--browser-subprocess-path$/,
    "it starts a program on the worker's host",
  ],
  // /usr/bin/chromium of Debian is a script whose debugger evaluates the other arguments like a shell.
  [
    /^--(debug|temp-profile)$/,
    "launch scripts of Chromium interpret it",
  ],
];

/** Pattern of list entries that can never be allowed, with or without a star. */
export const FORBIDDEN_PATTERN: string = anyCase(
  FORBIDDEN.map(([{ source }]) => source.replaceAll("$", "@$")).join("|"),
).replaceAll("@", "\\*?");

/** Arguments that a star does not match, because it could do so by accident, such as `--disable-*` `--disable-web-security`. */
const FULL_NAME_ONLY: readonly RegExp[] = [
  // Isolation between pages, and between pages and the host.
  /sandbox|security|isolat|zygote|process/,
  // Trust.
  /unsafe|insecure|certificate|^--(allow|ignore|test)-/,
  // Files of the worker's host.
  /-(dir|file|path|log)$|^--(load|log|trace)-|extensions-except$/,
  /^--(screenshot|print-to-pdf|pack-extension|use-file-for-)/,
  // Destinations of traffic.
  /^--(no-)?proxy-|^--host-/,
  // Collections of settings, such as --enable-blink-features=MojoJS.
  /^--(js-flags|blink-settings|(enable|disable)-features|enable-blink-features)$/,
];

/** Returns the reason why no pool can allow the argument `name`; undefined if a pool can. */
export function findForbiddenReason(name: string): string | undefined {
  // Chromium ignores the case of names on Windows only.
  const plain = name.toLowerCase();
  return FORBIDDEN.find(([pattern]) => pattern.test(plain))?.[1];
}

/**
 * Returns the names of the requested arguments that a pool with the list `allowed` rejects, each once.
 *
 * @param requested Arguments as `argumentsSchema` accepts them.
 * @param allowed Names, or beginnings with a star; null means {@linkcode HARMLESS_ARGUMENTS}.
 */
export function findRejectedArguments(
  requested: readonly string[],
  allowed: readonly string[] | null,
): readonly string[] {
  const list = allowed ?? HARMLESS_ARGUMENTS;
  const names = new Set(requested.map(argumentName));
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
