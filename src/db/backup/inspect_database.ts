import type { DatabaseSync } from "node:sqlite";
import type { AppliedMigration } from "../migrations/status.ts";
import { SqliteError } from "../sqlite/sqlite_error.ts";
import { readSqlite } from "./copy_database.ts";

/** The first migration of every version. */
const FIRST_MIGRATION = "0000_initial";

/** An encrypted value of the database. */
export interface SealedValue {
  readonly name: string;
  readonly value: string;
}

/** The contents of a file with the database of a grid. */
export interface StoredGrid {
  readonly migrations: readonly AppliedMigration[];
  /** A secret of the grid; undefined if none is encrypted yet. */
  readonly sealed: SealedValue | undefined;
}

/**
 * Reads the migrations of a file and one of its secrets. Changes nothing. Returns undefined if it is not the database of
 * a grid.
 *
 * @throws {SqliteError} The file cannot be read.
 */
export function inspectDatabase(path: string): StoredGrid | undefined {
  try {
    return readSqlite(path, readGrid);
  } catch (error) {
    const isOther = error instanceof SqliteError &&
      error.code === "SQLITE_NOTADB";
    if (isOther) return undefined;
    throw error;
  }
}

function readGrid(db: DatabaseSync): StoredGrid | undefined {
  if (!hasTable(db, "schema_migrations")) return undefined;
  const migrations = db.prepare("SELECT * FROM schema_migrations").all().map(
    ({ name, applied_at, version }) => ({
      name: String(name),
      appliedAt: Number(applied_at),
      ...(typeof version === "string" ? { version } : {}),
    }),
  );
  if (!migrations.some(({ name }) => name === FIRST_MIGRATION)) {
    return undefined;
  }
  return { migrations, sealed: findSealed(db) };
}

function findSealed(db: DatabaseSync): SealedValue | undefined {
  if (!hasTable(db, "grid_secrets")) return undefined;
  const row = db.prepare(
    "SELECT name, value FROM grid_secrets WHERE value LIKE 'v1.%' LIMIT 1",
  ).get();
  return row && { name: String(row["name"]), value: String(row["value"]) };
}

function hasTable(db: DatabaseSync, name: string): boolean {
  return db.prepare(
    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?",
  ).get(name) !== undefined;
}
