/**
 * The environment of processes that the program starts: what they need of its own, and no secret.
 *
 * A list of what is passed on, not of what is left out: the program's environment may have any secret in it, its own
 * key among them, and a page that reads `file:///proc/self/environ` would have it.
 *
 * @module
 */

/** Beginnings of the names that are passed on: languages, folders of the user, fonts, graphics. */
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

/** Passed on without user name and password. */
const PROXIES: ReadonlySet<string> = new Set([
  ...["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"],
]);

const SECRET = /KEY|TOKEN|SECRET|PASS|CREDENTIAL/;

/** Returns what a child process is given of `environment`. */
export function childEnvironment(
  environment: Readonly<Record<string, string>> = Deno.env.toObject(),
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => {
      const upper = name.toUpperCase();
      if (PROXIES.has(upper)) return [[name, withoutUser(value)]];
      return isPassedOn(upper) ? [[name, value]] : [];
    }),
  );
}

function isPassedOn(name: string): boolean {
  return NAMES.has(name) ||
    !SECRET.test(name) && PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** A proxy as `http://user:password@host`, or without `http://`. */
function withoutUser(proxy: string): string {
  const at = proxy.lastIndexOf("@");
  if (at < 0) return proxy;
  const start = proxy.indexOf("://");
  const scheme = start >= 0 && start < at ? proxy.slice(0, start + 3) : "";
  return scheme + proxy.slice(at + 1);
}
