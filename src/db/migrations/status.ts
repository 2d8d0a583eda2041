import { compareVersions } from "../../core/version/compare_versions.ts";

/** One SQL file. */
export interface Migration {
  /** Name such as `0000_initial`; for an app's migration `app/0000_initial`. */
  readonly name: string;
  readonly statements: readonly string[];
}

/** The record of an applied migration. */
export interface AppliedMigration {
  readonly name: string;
  /** Time in milliseconds since the epoch. */
  readonly appliedAt: number;
  /** Version of the program that applied it. Versions before 0.3.0 recorded none. */
  readonly version?: string;
}

/** One row of `migrate status`. */
export interface MigrationStatus {
  readonly name: string;
  /** Time in milliseconds since the epoch; absent if the migration is not applied. */
  readonly appliedAt?: number;
  /** Version of the program that applied it, if it is known. */
  readonly version?: string;
  /** True if the migration is applied, but not known to this program. */
  readonly unknown: boolean;
  /** True if the migration was applied for an app that is not installed now. Its tables stay unchanged. */
  readonly uninstalled?: true;
}

/** Rejection of a database that this program must not change. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

/** Returns each known or applied migration with its state. */
export function compareMigrations(
  applied: readonly AppliedMigration[],
  migrations: readonly Migration[],
): readonly MigrationStatus[] {
  const byName = new Map(applied.map((each) => [each.name, each]));
  const known = migrations.map(({ name }) => ({
    name,
    unknown: false,
    ...byName.get(name),
  }));
  const names = new Set(migrations.map(({ name }) => name));
  const folders = new Set(["", ...migrations.map(parseFolder)]);
  const others = applied.filter(({ name }) => !names.has(name)).map((each) =>
    folders.has(parseFolder(each))
      ? { ...each, unknown: true }
      : { ...each, unknown: false, uninstalled: true as const }
  );
  return [...known, ...others];
}

/** The parts of the message about a database that is too new. */
export interface TooNewOptions {
  /** The database, such as `database "grid.db"`. */
  readonly what: string;
  /** Version of this program. */
  readonly version?: string | undefined;
}

/**
 * Rejects a database that a newer version of the program, or of one of its apps, has changed.
 *
 * @throws {MigrationError} It names the unknown migrations and what to do.
 */
export function rejectUnknown(
  status: readonly MigrationStatus[],
  options: TooNewOptions,
): void {
  const problem = explainUnknown(status, options);
  if (problem !== undefined) throw new MigrationError(problem);
}

/** Returns the message about unknown migrations; undefined if there are none. */
export function explainUnknown(
  status: readonly MigrationStatus[],
  { what, version }: TooNewOptions,
): string | undefined {
  const unknown = status.filter((each) => each.unknown);
  if (unknown.length === 0) return undefined;
  const names = unknown.map(({ name }) => `"${name}"`).join(", ");
  const ours = unknown.filter((each) => parseFolder(each) === "");
  const [writer, expected] = ours.length > 0
    ? describeWriter(ours)
    : describeApps(unknown);
  const own = version === undefined ? "this version" : `version ${version}`;
  return `Cannot use ${what}: ${writer} has changed it, and ${own} does not know its migrations ${names}, expected ${expected}; or restore a backup from before the upgrade with "browsergrid restore"`;
}

/** Returns the version that has applied the project's unknown migrations, and the version that can use them. */
function describeWriter(
  unknown: readonly MigrationStatus[],
): readonly [writer: string, expected: string] {
  const newest = unknown.flatMap(({ version }) => version ?? [])
    .sort(compareVersions).at(-1);
  return newest === undefined
    ? ["a newer version", "a newer version of browsergrid"]
    : [`version ${newest}`, `browsergrid ${newest} or newer`];
}

function describeApps(
  unknown: readonly MigrationStatus[],
): readonly [writer: string, expected: string] {
  const folders = unknown.map((each) => parseFolder(each).slice(0, -1));
  const apps = [...new Set(folders)].map((app) => `"${app}"`).join(", ");
  return [`a newer version of app ${apps}`, "that version of the app"];
}

/**
 * Rejects a missing migration before an applied one, which would run out of order.
 *
 * @throws {MigrationError} It names both.
 */
export function rejectGaps(status: readonly MigrationStatus[]): void {
  const lastApplied = new Map<string, string>();
  for (const each of [...status].reverse()) {
    const { name, appliedAt } = each;
    const folder = parseFolder(each);
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

/** Returns `notes/` of `notes/0000_initial`; an empty text for the project's migrations. */
function parseFolder({ name }: { readonly name: string }): string {
  return name.slice(0, name.lastIndexOf("/") + 1);
}
