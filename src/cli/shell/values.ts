import { inspect } from "node:util";
import type { InArgs, ResultSet } from "@libsql/client";
import { createClient, type GridClient } from "../../client/client.ts";
import type { Database } from "../../core/database.ts";
import type { Settings } from "../../core/settings.ts";
import { openExisting } from "../database_file.ts";
import { redactSettings } from "../redact_settings.ts";

/** The database at the prompt. It is opened at the first call. */
class ShellDatabase implements Disposable {
  readonly #settings: Settings;
  #opened: Promise<Database> | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Returns the rows of one statement, as objects. */
  async query(
    sql: string,
    args?: InArgs,
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { rows } = await this.#run(sql, args);
    return rows.map((row) => ({ ...row }));
  }

  /** Runs one statement and returns the number of rows that it changed. */
  async execute(sql: string, args?: InArgs): Promise<number> {
    return (await this.#run(sql, args)).rowsAffected;
  }

  [Symbol.dispose](): void {
    void this.#opened?.then((db) => db[Symbol.dispose]()).catch(() => {});
  }

  async #run(sql: string, args: InArgs = []): Promise<ResultSet> {
    this.#opened ??= openExisting(this.#settings);
    const db = await this.#opened.catch((error) => {
      this.#opened = undefined; // The next call tries again.
      throw error;
    });
    return await db.client.execute({ sql, args });
  }
}

/** The values that code at the prompt can use by name. Disposal closes the database. */
export class ShellValues implements Disposable {
  readonly names: {
    readonly settings: Settings;
    readonly db: ShellDatabase;
    readonly api: GridClient;
  };

  /** Opens and requests nothing. */
  constructor(settings: Settings) {
    const { api_url: apiUrl, api_key: apiKey } = settings;
    this.names = {
      settings: hideSecrets(settings),
      db: new ShellDatabase(settings),
      api: createClient({ apiUrl, apiKey }),
    };
  }

  [Symbol.dispose](): void {
    this.names.db[Symbol.dispose]();
  }
}

/** Returns settings whose secrets code can read, but which are not printed. */
function hideSecrets(settings: Settings): Settings {
  const render = { value: () => inspect(redactSettings(settings)) };
  return Object.defineProperties({ ...settings }, {
    toJSON: { value: () => redactSettings(settings) },
    [Symbol.for("Deno.customInspect")]: render,
    [inspect.custom]: render,
  });
}
