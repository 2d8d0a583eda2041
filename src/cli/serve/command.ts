import { z } from "@hono/zod-openapi";
import type { Provider } from "../../core/provider.ts";
import { type Command, defineCommand } from "../command.ts";
import {
  flag,
  negatedFlag,
  optionalText,
  text,
  wholeNumber,
} from "../options/option_types.ts";

/** Declares `browsergrid serve`. */
export function serveCommand(providers: readonly Provider[]): Command {
  return defineCommand({
    name: "serve",
    aliases: ["runserver"],
    description: "Start the server, with --with-worker also a worker here",
    options: () => serveOptions(providers.map(({ name }) => name)),
    examples: [
      "serve --with-worker",
      "serve --port 9000 --with-worker docker --worker-capacity 10",
      "serve --host 0.0.0.0 --database-url libsql://grid.example",
    ],
    notes: 'Every option is also a setting: see "browsergrid settings".',
    async run(options, context) {
      const { serve } = await import("./serve.ts");
      return await serve(options, context);
    },
  });
}

function serveOptions(providers: readonly string[]) {
  return z.object({
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
  });
}
