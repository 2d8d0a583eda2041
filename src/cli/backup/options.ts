import { z } from "zod";
import { defineOptions, flag } from "../options/option_types.ts";
import { commonOptions, databaseOptions } from "../options/shared_options.ts";

/** Declares the options of `browsergrid backup`. */
export const backupOptions = defineOptions(() =>
  z.object({
    ...databaseOptions(),
    ...commonOptions(),
    force: flag("--force", "replace the file if it exists"),
  })
);

/** Declares the options of `browsergrid restore`. */
export const restoreOptions = defineOptions(() =>
  z.object({
    ...databaseOptions(),
    ...commonOptions(),
    yes: flag("--yes", "replace the database without a question"),
  })
);
