/**
 * Brings a database up to date with the project's SQL files, which drizzle-kit made, and with folders of such files.
 *
 * A migration and the row that records it are in one batch, with the row first: of two processes that migrate at once
 * one violates the row's primary key, changes nothing, and continues with the next. An empty database gets all
 * migrations in one batch.
 *
 * @module
 */
import type { Row } from "@libsql/client";
import { z } from "@hono/zod-openapi";
import { isConstraintError } from "./client.ts";
import type { Database } from "../core/database.ts";
import { PARSED_ONCE } from "../core/schema.ts";
import {
  type AppliedMigration,
  compareMigrations,
  type Migration,
  MigrationError,
  type MigrationStatus,
  rejectGaps,
  rejectUnknown,
} from "./migrations/status.ts";
import { PROJECT_MIGRATIONS } from "./project_migrations.ts";

const STATEMENT_BREAK = "--> statement-breakpoint";

/** The database in messages. */
const DATABASE = "the database";

const journalSchema = z.object({
  entries: z.array(z.object({ tag: z.string(), when: z.number() })),
});

/** Reads the migrations of the project. */
export async function readProjectMigrations(): Promise<readonly Migration[]> {
  const entries = Object.entries(PROJECT_MIGRATIONS);
  return await Promise.all(entries.map(async ([name, load]) => {
    const { default: sql } = await load();
    return { name, statements: splitStatements(sql, name) };
  }));
}

/**
 * Reads the migrations of `folder` in the order of drizzle-kit's journal, or without a journal in the order of names.
 *
 * @param prefix Prefix of each name.
 * @throws {MigrationError} If the folder cannot be read, or a file has statements that would not run.
 */
export async function readMigrations(
  folder: URL,
  prefix = "",
): Promise<readonly Migration[]> {
  try {
    const tags = await readJournal(folder) ?? await listSql(folder);
    return await Promise.all(tags.map(async (tag) => {
      const sql = await Deno.readTextFile(new URL(`${tag}.sql`, folder));
      const name = prefix + tag;
      return { name, statements: splitStatements(sql, name) };
    }));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new MigrationError(
      `Cannot read the migrations in "${folder.href}": there is no such folder, or a file of its journal is missing`,
      { cause },
    );
  }
}

async function readJournal(
  folder: URL,
): Promise<readonly string[] | undefined> {
  try {
    const file = new URL("meta/_journal.json", folder);
    const journal = journalSchema.parse(
      JSON.parse(await Deno.readTextFile(file)),
      PARSED_ONCE,
    );
    return journal.entries.map(({ tag }) => tag);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function listSql(folder: URL): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.filter(({ name }) => name.endsWith(".sql"))
    .map(({ name }) => name.slice(0, -".sql".length)).sort();
}

/**
 * Splits a file into statements. The driver would run the first one between two breaks and ignore the rest silently.
 */
function splitStatements(sql: string, name: string): readonly string[] {
  const parts = sql.split(STATEMENT_BREAK).filter((part) => part.trim());
  const crowded = parts.find((part) => {
    const code = part.replaceAll(/--.*$|\/\*[^]*?\*\/|'[^']*'|"[^"]*"/gm, "");
    return /;\s*\S/.test(code) &&
      !/^\s*CREATE\s+(TEMP\w*\s+)?TRIGGER\b/i.test(code);
  });
  if (crowded === undefined) return parts;
  throw new MigrationError(
    `Cannot read migration "${name}": it has several statements in one, expected "${STATEMENT_BREAK}" between them`,
  );
}

/** Returns each known or applied migration with its state. */
export async function migrationStatus(
  db: Database,
  migrations: readonly Migration[],
): Promise<readonly MigrationStatus[]> {
  const { applied } = await readApplied(db);
  return compareMigrations(applied, migrations);
}

/**
 * Rejects a database that a newer version has changed, without a change of it. One or two round trips.
 *
 * @param version Version of this program.
 * @throws {MigrationError} It names the migrations that are not known.
 */
export async function rejectNewerDatabase(
  db: Database,
  migrations: readonly Migration[],
  version: string,
): Promise<void> {
  const status = await migrationStatus(db, migrations);
  rejectUnknown(status, { what: DATABASE, version });
}

/** Options of {@linkcode migrate}. */
export interface MigrateOptions {
  /** Time in milliseconds since the epoch. */
  readonly now: number;
  /** Version of this program, which is recorded with each migration. */
  readonly version?: string;
}

/**
 * Applies what is missing. Safe in several processes at once.
 *
 * @returns The names that were applied here.
 * @throws {MigrationError} If the database has migrations that are not known, or one is missing before an applied one.
 */
export async function migrate(
  db: Database,
  migrations: readonly Migration[],
  options: MigrateOptions,
): Promise<readonly string[]> {
  const { applied, hasVersions } = await readApplied(db);
  const status = compareMigrations(applied, migrations);
  rejectUnknown(status, { what: DATABASE, version: options.version });
  rejectGaps(status);
  const names = new Set(applied.map(({ name }) => name));
  const missing = migrations.filter(({ name }) => !names.has(name));
  // An up-to-date database is not written: a server starts also while it is locked.
  if (missing.length === 0) return [];
  await createRecords(db, hasVersions);
  // The migrations of an empty database are quick, and take one round trip together.
  const isEmpty = names.size === 0;
  if (isEmpty && await apply(db, missing, options)) {
    return missing.map(({ name }) => name);
  }
  const done: string[] = [];
  for (const migration of missing) {
    if (await apply(db, [migration], options)) done.push(migration.name);
  }
  return done;
}

/** Creates the table of applied migrations, or adds what a version before 0.3.0 did not record. */
async function createRecords(
  db: Database,
  hasVersions: boolean | undefined,
): Promise<void> {
  if (hasVersions === undefined) {
    await db.client.execute(
      "CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL, version TEXT)",
    );
  }
  if (hasVersions !== false) return;
  try {
    await db.client.execute(
      "ALTER TABLE schema_migrations ADD COLUMN version TEXT",
    );
  } catch (error) {
    // Another process has added it.
    if (!(await readApplied(db)).hasVersions) throw error;
  }
}

/** Applies migrations in one batch. Returns false, and changes nothing, if another process has applied one. */
async function apply(
  db: Database,
  migrations: readonly Migration[],
  { now, version }: MigrateOptions,
): Promise<boolean> {
  try {
    await db.client.batch(
      migrations.flatMap(({ name, statements }) => [
        {
          sql:
            "INSERT INTO schema_migrations (name, applied_at, version) VALUES (?, ?, ?)",
          args: [name, now, version ?? null],
        },
        ...statements,
      ]),
      "write",
    );
    return true;
  } catch (error) {
    if (!isConstraintError(error)) throw error;
    const { applied } = await readApplied(db);
    const names = new Set(applied.map(({ name }) => name));
    if (migrations.some(({ name }) => names.has(name))) return false;
    throw error;
  }
}

/** The recorded migrations. */
interface Records {
  readonly applied: readonly AppliedMigration[];
  /** True if versions are recorded too; undefined if there are no records. */
  readonly hasVersions: boolean | undefined;
}

async function readApplied(db: Database): Promise<Records> {
  const tables = await db.client.execute(
    "SELECT sql LIKE '%version%' AS has_versions FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'",
  );
  const [table] = tables.rows;
  if (!table) return { applied: [], hasVersions: undefined };
  const { rows } = await db.client.execute(
    "SELECT * FROM schema_migrations ORDER BY applied_at, name",
  );
  return {
    applied: rows.map(toAppliedMigration),
    hasVersions: table["has_versions"] === 1,
  };
}

function toAppliedMigration(row: Row): AppliedMigration {
  const { name, applied_at, version } = row;
  return {
    name: String(name),
    appliedAt: Number(applied_at),
    ...(typeof version === "string" ? { version } : {}),
  };
}
