import { z } from "zod";
import { defineOptions } from "../options/option_types.ts";
import { commonOptions, databaseOptions } from "../options/shared_options.ts";

/** Declares the options of `browsergrid migrate up`, `migrate status` and `createdb`. */
export const migrationOptions = defineOptions(() =>
  z.object({ ...databaseOptions(), ...commonOptions() })
);
