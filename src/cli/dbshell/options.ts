import { z } from "zod";
import { defineOptions, text } from "../options/option_types.ts";
import { commonOptions, databaseOptions } from "../options/shared_options.ts";

/** Declares the options of `browsergrid dbshell`. */
export const dbshellOptions = defineOptions(() =>
  z.object({
    ...databaseOptions(),
    ...commonOptions(),
    command: text("-c, --command <sql>", "run this SQL and end"),
  })
);
