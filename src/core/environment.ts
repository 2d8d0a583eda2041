/**
 * Environment variables of a browser.
 *
 * Some of them a session may not set, because its client could start a program on the worker's host with them, or bypass
 * the arguments that the pool allows. Defaults of the pool, which an admin sets, may contain them.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { textSchema } from "./schema.ts";

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

/** Maximum number of variables: each is encrypted separately, and thousands would take the server seconds. */
const MAX_VARIABLES = 256;

const VARIABLE_NAMES = {
  propertyNames: { pattern: "^[A-Za-z_][A-Za-z0-9_]*$" },
};

const SESSION_VARIABLE_NAMES = {
  maxProperties: MAX_VARIABLES,
  propertyNames: {
    ...VARIABLE_NAMES.propertyNames,
    not: { pattern: RESERVED_PATTERN },
  },
};

/** Environment variables of the browser. Values are secrets. */
export const environmentSchema = z.record(
  z.string().regex(
    /^[A-Za-z_][A-Za-z0-9_]*$/,
    "expected a variable name of letters, digits and _",
  ),
  textSchema().max(32_768),
).openapi({
  description:
    "Environment variables of the browser. Only the response to the worker that starts it contains their values",
  ...VARIABLE_NAMES,
  examples: [{ LANG: "de_DE.UTF-8" }],
});

/** Environment variables in a request body. */
export const environmentInputSchema = environmentSchema.refine(
  (variables) => Object.keys(variables).length <= MAX_VARIABLES,
  { error: `expected at most ${MAX_VARIABLES}`, abort: true },
).openapi({ maxProperties: MAX_VARIABLES });

/** Environment variables of a session, without variables that would change which programs run. */
export const sessionEnvironmentSchema = environmentInputSchema.superRefine(
  (environment, context) => {
    for (const name of Object.keys(environment).filter(isReserved)) {
      context.addIssue({
        code: "custom",
        path: [name],
        message:
          "a session may not set this variable, which could change programs or arguments; expected another name, or a default_environment of the pool",
      });
    }
  },
).openapi({
  description:
    "Environment variables of the browser. Variables that determine which programs are loaded or found (such as LD_\u2026, PATH and CHROME_\u2026) are rejected. Only the response to the worker that starts the browser contains their values",
  ...SESSION_VARIABLE_NAMES,
  examples: [{ LANG: "de_DE.UTF-8" }],
});
