import { type EgressPolicy } from "./egress.ts";
import { z } from "@hono/zod-openapi";
import { memorySchema, textSchema } from "./schema.ts";

/** Browsers that a session may request; each provider supports some of them. */
export const BROWSERS = [
  "chrome",
  "chromium",
  "edge",
  "firefox",
  "safari",
] as const;

export const browserSchema = z.enum(BROWSERS).openapi("Browser", {
  description: "Name of a browser; the pool's provider says which it can start",
});

/** Name of a browser. */
export type Browser = z.infer<typeof browserSchema>;

/** Release channel or exact version: `latest`, `stable`, `dev`, `canary`, `126`, `126.0.6478.55`. */
export const versionSchema = z.string().regex(
  /^(latest|stable|dev|canary|\d+(\.\d+){0,3})$/,
  "expected latest, stable, dev, canary or a version such as 126.0.6478.55",
).describe("Release channel, or an exact version such as 126.0.6478.55");

/** Operating systems that a session may request. */
export const OPERATING_SYSTEMS = ["linux", "windows", "macos"] as const;

export type OperatingSystem = (typeof OPERATING_SYSTEMS)[number];

export const operatingSystemSchema = z.enum(OPERATING_SYSTEMS).describe(
  "System that the browser runs on",
);

/** Size and pixel density of the screen, as pages see it. */
export const screenSchema = z.strictObject({
  width: z.int().min(1).max(16384).default(1280).describe("CSS pixels"),
  height: z.int().min(1).max(16384).default(720).describe("CSS pixels"),
  dpi: z.int().min(24).max(960).default(96).describe("Dots per inch"),
  scale: z.number().min(0.5).max(8).default(1).describe(
    "Device pixels for each CSS pixel",
  ),
}).openapi("Screen", {
  description: "Size of the screen, and how densely it is drawn",
});

export type Screen = z.infer<typeof screenSchema>;

/** Returns the size of a screen in device pixels. */
export function devicePixels(
  { width, height, scale }: Screen,
): { readonly width: number; readonly height: number } {
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

/** A single proxy URL: Chromium reads commas and semicolons as a list. */
const PROXY_URL =
  /^(https?|socks[45]):\/\/(\[[0-9A-Fa-f:.]+\]|[^\s/?#@,;:=\\[\]\p{Cc}\p{Cs}]+)(:\d{1,5})?\/?$/u;

/** Maximum length of a virtual display's side: X11 counts pixels in signed 16-bit numbers. */
const MAX_DISPLAY_PIXELS = 32_767;

/**
 * Returns the size of a headful browser's virtual display in device pixels.
 *
 * @throws {Error} If the screen is larger than any display.
 */
export function displaySize(
  screen: Screen,
): { readonly width: number; readonly height: number } {
  const { width, height } = devicePixels(screen);
  if (Math.max(width, height) <= MAX_DISPLAY_PIXELS) return { width, height };
  throw new Error(
    `Cannot start a headful browser: its screen has ${width} by ${height} device pixels, expected at most ${MAX_DISPLAY_PIXELS} by ${MAX_DISPLAY_PIXELS}; or ask for headless: true`,
  );
}

/** HTTP or SOCKS proxy of the browser. The password is a secret. */
export const proxySchema = z.strictObject({
  proxy_url: z.string().max(500).refine(
    isProxyUrl,
    "expected one URL such as http://proxy.example:3128 (http, https, socks4, socks5) without user name, password and path in it",
  ).openapi({
    description:
      "One URL: http, https, socks4 or socks5, without user name, password and path in it",
    pattern: PROXY_URL.source,
    examples: ["http://proxy.example:3128"],
  }),
  proxy_username: textSchema().min(1).optional().describe(
    "User name at the proxy",
  ),
  proxy_password: textSchema().optional().describe(
    "Secret: only the response to the worker that starts the browser contains it",
  ),
}).openapi("Proxy", { description: "HTTP or SOCKS proxy of the browser" });

export type Proxy = z.infer<typeof proxySchema>;

/** Limits of a session's browser: lifetime, cores and memory. */
export const resourceLimitsSchema = z.strictObject({
  cpu: z.number().gt(0).max(1024).optional().describe("Cores"),
  memory: memorySchema.optional(),
  timeout_minutes: z.number().gt(0).max(7 * 24 * 60).optional().describe(
    "Maximum lifetime of the session",
  ),
}).openapi("ResourceLimits", {
  description: "What the browser may use, and for how long",
});

export type ResourceLimits = z.infer<typeof resourceLimitsSchema>;

/** Additional command-line arguments of the browser. Each pool has a list of allowed arguments. */
export const argumentsSchema = z.array(
  textSchema().max(2_000).regex(
    /^--[a-zA-Z0-9][a-zA-Z0-9-]*(=[^\0\n\r]*)?$/,
    "expected --name or --name=value",
  ),
).max(50).openapi({
  description:
    "Additional command-line arguments of the browser that the work pool allows. The last of several arguments with one name applies, except that lists of features are merged. They are not secret",
  examples: [["--accept-lang=de-DE"]],
});

/** Returns the name of an argument: the text before its "=". */
export function argumentName(argument: string): string {
  return argument.split("=", 1)[0] ?? argument;
}

/** Requirements of a browser, with every default filled in. Contains secrets. */
export interface BrowserSpec {
  readonly browser: Browser;
  readonly version: string;
  readonly headless: boolean;
  readonly screen: Screen;
  readonly proxy?: Proxy;
  /** Cores; absent: no limit. */
  readonly cpu?: number;
  /** Bytes; absent: no limit. */
  readonly memoryBytes?: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Additional arguments that the pool allows: `--name` or `--name=value`, each one word, never parsed by a shell. */
  readonly arguments: readonly string[];
  /** True if the session belongs to a client key: its browser must not reach the host, the grid or other sessions. */
  readonly isolated: boolean;
  readonly egress: EgressPolicy;
}

/** A proxy as responses contain it. */
export function withoutPassword(
  { proxy_url, proxy_username }: Proxy,
): { proxy_url: string; proxy_username?: string } {
  return {
    proxy_url,
    ...(proxy_username === undefined ? {} : { proxy_username }),
  };
}

function isProxyUrl(text: string): boolean {
  return PROXY_URL.test(text) && URL.parse(text)?.hostname !== undefined;
}
