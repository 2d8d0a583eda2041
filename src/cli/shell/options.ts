import { z } from "zod";
import { defineOptions, text } from "../options/option_types.ts";
import { commonOptions, databaseOptions } from "../options/shared_options.ts";

/** Declares the options of `browsergrid shell`. */
export const shellOptions = defineOptions(() =>
  z.object({
    ...databaseOptions(),
    ...commonOptions(),
    eval: text("-e, --eval <code>", "run this code, print its value and end"),
    api_url: text("--api-url <url>", "the server (http://127.0.0.1:8765)"),
    api_key: text("--api-key <key>", "key of the server"),
  })
);
