/**
 * Options that several commands share.
 *
 * @module
 */
import type { CommonOptions } from "../config.ts";
import {
  flag,
  type FlagOption,
  text,
  type TextOption,
} from "./option_types.ts";

/** Options of every command that talks to a server. */
export interface ClientCommandOptions extends CommonOptions {
  readonly api_url?: string | undefined;
  readonly api_key?: string | undefined;
}

/** Options of every command that opens the database. */
export interface DatabaseCommandOptions extends CommonOptions {
  readonly database_url?: string | undefined;
  readonly data_dir?: string | undefined;
}

/** Declares the options of every command that reads settings. */
export function commonOptions(): {
  config: TextOption;
  json: FlagOption;
  debug: FlagOption;
} {
  return {
    config: text("--config <file>", "configuration file (browsergrid.json)"),
    json: flag("--json", "print JSON"),
    debug: flag("--debug", "show where an error came from"),
  };
}

/** Declares the options that name a server. */
export function serverOptions(): { api_url: TextOption; api_key: TextOption } {
  return {
    api_url: text("--api-url <url>", "the server (http://127.0.0.1:8765)"),
    api_key: text(
      "--api-key <key>",
      "key of the server; BROWSERGRID_API_KEY does not show in the list of processes",
    ),
  };
}

/** Declares the options of every command that talks to a server. */
export function clientOptions():
  & ReturnType<typeof serverOptions>
  & ReturnType<typeof commonOptions> {
  return { ...serverOptions(), ...commonOptions() };
}

/** Declares the options that name a database. */
export function databaseOptions(): {
  database_url: TextOption;
  data_dir: TextOption;
} {
  return {
    database_url: text(
      "--database-url <url>",
      "file:PATH, :memory: or libsql://HOST",
    ),
    data_dir: text("--data-dir <folder>", "folder of the database"),
  };
}
