import { z } from "zod";
import {
  defineOptions,
  flag,
  negatedFlag,
  optionalText,
  text,
  wholeNumber,
} from "../options/option_types.ts";

/** Declares the options of `browsergrid serve`. */
export const serveOptions = defineOptions((providers: readonly string[]) =>
  z.object({
    host: text("--host <address>", "address to listen on (127.0.0.1)"),
    port: text(
      "--port <number>",
      "port to listen on (8765); 0 takes a free one",
    ),
    database_url: text(
      "--database-url <url>",
      "file:PATH, :memory: or libsql://HOST",
    ),
    data_dir: text(
      "--data-dir <folder>",
      "folder for database, browsers and state",
    ),
    public_url: text(
      "--public-url <url>",
      "URL under which clients reach the server",
    ),
    with_worker: optionalText(
      "--with-worker [provider]",
      'start a worker for the pool "default" too (local)',
      providers,
    ),
    worker_capacity: wholeNumber().default(5).meta({
      flags: "--worker-capacity <number>",
      description: "sessions of that worker",
    }),
    worker_name: text("--worker-name <name>", "name of the embedded worker"),
    migrate: negatedFlag("--no-migrate", "do not apply migrations"),
    config: text("--config <file>", "configuration file (browsergrid.json)"),
    debug: flag("--debug", "log every step"),
  })
);
