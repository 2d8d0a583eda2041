/**
 * The environment of child processes: the variables that they need, and no secret.
 *
 * The list names the variables that are passed on, because the program's environment may contain any secret, its own
 * key included, and a page can read `file:///proc/self/environ`.
 *
 * @module
 */

/** Prefixes of the names that are passed on: languages, user folders, fonts, graphics. */
const PREFIXES = [
  ...["LC_", "XDG_", "FONTCONFIG_", "CHROME_", "CHROMIUM_", "GDK_", "GTK_"],
  ...["LIBGL_", "LIBVA_", "MESA_", "VK_", "PROGRAMFILES"],
];

const NAMES: ReadonlySet<string> = new Set([
  ...["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TMPDIR", "TZ"],
  ...["LANG", "LANGUAGE", "LD_LIBRARY_PATH", "NIX_LD", "NIX_LD_LIBRARY_PATH"],
  ...["DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS"],
  ...["SSL_CERT_FILE", "SSL_CERT_DIR", "DENO_DIR"],
  // Windows.
  ...["SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP"],
  ...["TMP", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "USERPROFILE"],
  ...["USERNAME", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE"],
]);

/** Variables that are passed on without user name and password. */
const PROXIES: ReadonlySet<string> = new Set([
  ...["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"],
]);

const SECRET = /KEY|TOKEN|SECRET|PASS|CREDENTIAL/;

/** Returns the part of `environment` that child processes receive. */
export function createChildEnvironment(
  environment: Readonly<Record<string, string>> = Deno.env.toObject(),
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => {
      const upper = name.toUpperCase();
      if (PROXIES.has(upper)) return [[name, removeCredentials(value)]];
      return isPassedOn(upper) ? [[name, value]] : [];
    }),
  );
}

function isPassedOn(name: string): boolean {
  return NAMES.has(name) ||
    !SECRET.test(name) && PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** Removes the credentials from a proxy URL, with or without `http://`. */
function removeCredentials(proxy: string): string {
  const at = proxy.lastIndexOf("@");
  if (at < 0) return proxy;
  const start = proxy.indexOf("://");
  const scheme = start >= 0 && start < at ? proxy.slice(0, start + 3) : "";
  return scheme + proxy.slice(at + 1);
}
