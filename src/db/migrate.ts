/**
 * Brings a database up to date with folders of SQL files made by drizzle-kit.
 *
 * A migration and the row that records it are one batch, with the row first: of two processes that migrate at once
 * one violates the row's primary key, changes nothing, and continues with the next.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { isConstraintError } from "./client.ts";
import type { Database } from "../core/database.ts";

const STATEMENT_BREAK = "--> statement-breakpoint";

const journalSchema = z.object({
  entries: z.array(z.object({ tag: z.string(), when: z.number() })),
});

/** One SQL file. */
export interface Migration {
  /** Name such as `0000_initial`; for an app's migration `app/0000_initial`. */
  readonly name: string;
  readonly statements: readonly string[];
}

/** One row of `migrate status`. */
export interface MigrationStatus {
  readonly name: string;
  /** Time in milliseconds since the epoch; absent if the migration is not applied. */
  readonly appliedAt?: number;
  /** True if the migration is applied, but not known to this program. */
  readonly unknown: boolean;
  /** True if the migration was applied for an app that is not installed now. Its tables stay unchanged. */
  readonly uninstalled?: true;
}

/** Rejection of a database that this program must not change. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

/** Folder of the project's migrations; embedded in the compiled program. */
export const PROJECT_MIGRATIONS: URL = new URL(
  "../../migrations/",
  import.meta.url,
);

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
  const applied = await readApplied(db);
  const known = migrations.map(({ name }) => {
    const appliedAt = applied.get(name);
    return {
      name,
      unknown: false,
      ...(appliedAt === undefined ? {} : { appliedAt }),
    };
  });
  const names = new Set(migrations.map(({ name }) => name));
  const folders = new Set(["", ...migrations.map(parseFolder)]);
  const others = [...applied].filter(([name]) => !names.has(name)).map((
    [name, appliedAt],
  ) =>
    folders.has(parseFolder({ name }))
      ? { name, appliedAt, unknown: true }
      : { name, appliedAt, unknown: false, uninstalled: true as const }
  );
  return [...known, ...others];
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
  now: number,
): Promise<readonly string[]> {
  const status = await migrationStatus(db, migrations);
  rejectUnknown(status);
  rejectGaps(status);
  const applied = new Set(
    status.filter((each) => each.appliedAt !== undefined).map(({ name }) =>
      name
    ),
  );
  const missing = migrations.filter(({ name }) => !applied.has(name));
  // An up-to-date database is not written: a server starts also while it is locked.
  if (missing.length === 0) return [];
  await db.client.execute(
    "CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL)",
  );
  const done: string[] = [];
  for (const migration of missing) {
    if (await apply(db, migration, now)) done.push(migration.name);
  }
  return done;
}

async function apply(
  db: Database,
  migration: Migration,
  now: number,
): Promise<boolean> {
  try {
    await db.client.batch([
      {
        sql: "INSERT INTO schema_migrations (name, applied_at) VALUES (?, ?)",
        args: [migration.name, now],
      },
      ...migration.statements,
    ], "write");
    return true;
  } catch (error) {
    const isTaken = isConstraintError(error) &&
      (await readApplied(db)).has(migration.name);
    if (isTaken) return false;
    throw error;
  }
}

async function readApplied(db: Database): Promise<Map<string, number>> {
  const tables = await db.client.execute(
    "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'",
  );
  if (tables.rows.length === 0) return new Map();
  const { rows } = await db.client.execute(
    "SELECT name, applied_at FROM schema_migrations ORDER BY applied_at, name",
  );
  return new Map(
    rows.map((row) => [String(row.name), Number(row.applied_at)]),
  );
}

function rejectUnknown(status: readonly MigrationStatus[]): void {
  const unknown = status.filter((each) => each.unknown);
  if (unknown.length === 0) return;
  throw new MigrationError(
    `Cannot migrate the database: it has "${
      unknown.map(({ name }) => name).join('", "')
    }", which this version does not know, expected an older database or a newer program`,
  );
}

/** Returns `notes/` of `notes/0000_initial`; an empty text for the project's migrations. */
function parseFolder({ name }: Pick<Migration, "name">): string {
  return name.slice(0, name.lastIndexOf("/") + 1);
}

/** Rejects a missing migration before an applied one, which would run out of order. */
function rejectGaps(status: readonly MigrationStatus[]): void {
  const lastApplied = new Map<string, string>();
  for (const { name, appliedAt } of [...status].reverse()) {
    const folder = parseFolder({ name });
    if (appliedAt !== undefined && !lastApplied.has(folder)) {
      lastApplied.set(folder, name);
    }
    const last = lastApplied.get(folder);
    if (appliedAt === undefined && last !== undefined) {
      throw new MigrationError(
        `Cannot migrate the database: "${name}" is missing, but "${last}" after it is applied, expected migrations in order; create it again with "migrate make"`,
      );
    }
  }
}
