import { inspect } from "node:util";
import type { InArgs, Row } from "@libsql/client";
import { createClient, type GridClient } from "../../client/client.ts";
import type { Database } from "../../core/database.ts";
import type { Settings } from "../../core/settings.ts";
import { openExisting } from "../options/database_flags.ts";
import { shownSettings } from "../shown_settings.ts";

/** The database at the prompt; it is opened at the first call. */
export interface ShellDatabase {
  /** The rows of one statement, as objects. */
  query(
    sql: string,
    args?: InArgs,
  ): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Runs one statement and tells how many rows it changed. */
  execute(sql: string, args?: InArgs): Promise<number>;
}

/** What the prompt has at hand. Disposal closes what was opened. */
export interface ShellValues extends Disposable {
  readonly names: {
    readonly settings: Settings;
    readonly db: ShellDatabase;
    readonly api: GridClient;
  };
}

/** Settings, database and API client for the prompt. Nothing is opened or called yet. */
export function shellValues(settings: Settings): ShellValues {
  let opened: Promise<Database> | undefined;
  const execute = async (sql: string, args: InArgs = []) => {
    opened ??= openExisting(settings);
    const db = await opened.catch((error) => {
      opened = undefined; // So that another try is made once it is there.
      throw error;
    });
    return await db.client.execute({ sql, args });
  };
  const db: ShellDatabase = {
    query: async (sql, args) =>
      (await execute(sql, args)).rows.map((row: Row) => ({ ...row })),
    execute: async (sql, args) => (await execute(sql, args)).rowsAffected,
  };
  const api = createClient({
    apiUrl: settings.api_url,
    apiKey: settings.api_key,
  });
  return {
    names: { settings: masked(settings), db, api },
    [Symbol.dispose]() {
      void opened?.then((db) => db[Symbol.dispose]()).catch(() => {});
    },
  };
}

/** The same settings, whose secrets are there for code and not for eyes. */
function masked(settings: Settings): Settings {
  const text = { value: () => inspect(shownSettings(settings)) };
  return Object.defineProperties({ ...settings }, {
    toJSON: { value: () => shownSettings(settings) },
    [Symbol.for("Deno.customInspect")]: text,
    [inspect.custom]: text,
  });
}
