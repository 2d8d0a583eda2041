import { systemClock } from "../../src/async/clock.ts";
import { loadSettings } from "../../src/core/settings.ts";
import { APPS, MIDDLEWARE, PROVIDERS } from "../../src/installed.ts";
import { type Grid, openGrid } from "../../src/server/grid.ts";

/** Opens a grid with the built-in parts and the default settings, which writes no files. The caller disposes it. */
export function openDefaultGrid(): Promise<Grid> {
  const { settings } = loadSettings({
    env: {},
    flags: {},
    defaults: {
      data_dir: ".",
      database_url: ":memory:",
      encryption_key: "00".repeat(32),
    },
  });
  return openGrid(settings, {
    apps: APPS,
    middleware: MIDDLEWARE,
    providers: PROVIDERS,
    clock: systemClock,
    version: "docs",
  });
}
