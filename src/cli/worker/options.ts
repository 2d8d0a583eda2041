import { z } from "zod";
import {
  defineOptions,
  flag,
  type FlagOption,
  text,
  type TextOption,
  wholeNumber,
} from "../options/option_types.ts";
import { serverOptions } from "../options/shared_options.ts";

const REACH = ["auto", "direct", "tunnel"] as const;

type NumberOption = z.ZodDefault<z.ZodCoercedNumber>;

/** Declares the options of every command that starts a worker. */
export function workerOptions(): {
  api_url: TextOption;
  api_key: TextOption;
  worker_id: TextOption;
  worker_name: TextOption;
  capacity: NumberOption;
  poll_interval: NumberOption;
  reach: z.ZodDefault<z.ZodEnum<{ [R in (typeof REACH)[number]]: R }>>;
  data_dir: TextOption;
  config: TextOption;
  debug: FlagOption;
} {
  return {
    ...serverOptions(),
    worker_id: text(
      "--worker-id <id>",
      "register as this worker, a new or an earlier one",
    ),
    worker_name: text("--worker-name <name>", "name of the worker"),
    capacity: wholeNumber().default(5).meta({
      flags: "--capacity <number>",
      description: "sessions at the same time",
    }),
    poll_interval: wholeNumber().default(10).meta({
      flags: "--poll-interval <seconds>",
      description: "pause between polls",
    }),
    reach: z.enum(REACH).default("auto").meta({
      flags: "--reach <how>",
      description:
        "how the server reaches its browsers: by their address, through a tunnel that the worker opens, or by what works",
    }),
    data_dir: text("--data-dir <folder>", "folder for browsers and state"),
    config: text("--config <file>", "configuration file (browsergrid.json)"),
    debug: flag("--debug", "log every step"),
  };
}

/** Declares the options of `browsergrid worker`. */
export const workerStartOptions = defineOptions(() =>
  z.object({
    ...workerOptions(),
    work_pool_id: text(
      "--work-pool-id <id>",
      "id or name of the work pool (required)",
    ),
    drain_timeout: wholeNumber().optional().meta({
      flags: "--drain-timeout <seconds>",
      description:
        "how long sessions may continue after the first signal (as the server says)",
    }),
  })
);
