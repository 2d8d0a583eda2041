/**
 * Environment variables that a session may not set, because its client could start a program on the worker's host with
 * them, or bypass the arguments that the pool allows. Defaults of the pool, which an admin sets, may contain them.
 *
 * @module
 */

/** Prefixes of names. */
const PREFIXES = [
  // Libraries that are loaded into the browser.
  "LD_",
  "DYLD_",
  "ALSA_",
  "GBM_",
  "GDK_",
  "GIO_",
  "GTK_",
  "LIBGL_",
  "LIBVA_",
  "QT_",
  "VDPAU_",
  "VK_",
  "__EGL_",
  "__GLX_",
  // Arguments and helpers of Chromium, its launcher scripts and the project's image.
  "BROWSERGRID_",
  "CHROME_",
  "CHROMIUM_",
  "BASH_FUNC_",
  // Folders from which settings, data and sockets are read.
  "XDG_",
];

const NAMES: readonly string[] = [
  // Programs of launcher scripts, and startup files of shells.
  "PATH",
  "BASH_ENV",
  "ENV",
  "IFS",
  "SHELLOPTS",
  "GCONV_PATH",
  "GLIBC_TUNABLES",
  "LOCPATH",
  // Files outside the session's folders.
  "HOME",
  "TMPDIR",
  "SSLKEYLOGFILE",
  // Other screens and services of the host.
  "DBUS_SESSION_BUS_ADDRESS",
  "DISPLAY",
  "WAYLAND_DISPLAY",
  "XAUTHORITY",
];

/** Pattern of the variables that a session may not set. It ignores case, as Windows does. */
export const RESERVED_PATTERN: string = anyCase(
  `^(${PREFIXES.join("|")}|(${NAMES.join("|")})$)`,
);

const RESERVED = new RegExp(RESERVED_PATTERN);

/** Reports whether a session may not set the variable. */
export function isReserved(name: string): boolean {
  return RESERVED.test(name);
}

/**
 * Returns a case-insensitive form of a pattern without classes and escapes, such as `^ab|c$`. JSON Schema has no flag
 * for it.
 */
export function anyCase(pattern: string): string {
  return pattern.replaceAll(
    /[a-z]/gi,
    (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`,
  );
}
