import { chooseApps } from "../../http/api.ts";
import type { App } from "../../core/app.ts";
import { systemClock } from "../../async/clock.ts";
import type { Database } from "../../core/database.ts";
import { toMessage } from "../../core/log.ts";
import { migrationStatus } from "../../db/migrate.ts";
import { explainUnknown } from "../../db/migrations/status.ts";
import type { CheckResult } from "../../core/provider.ts";
import type { Settings } from "../../core/settings.ts";
import { checkWithin, type Finding } from "./result.ts";
import {
  fileExists,
  findDatabaseFile,
  openExisting,
} from "../database_file.ts";
import { readAllMigrations, resolveDatabaseUrl } from "../../server/grid.ts";
import { redactDatabaseUrl } from "../redact_settings.ts";
import { VERSION } from "../version.ts";

/** Timeout of each check of the database. */
const DATABASE_MS = 12_000;

/** Differences between the clocks of server and database at which the check warns and fails. */
const CLOCK_WARN_MS = 2_000;
const CLOCK_FAIL_MS = 10_000;

/** Checks that the database is reachable, up to date and has the same time. Changes nothing. */
export async function checkDatabase(
  settings: Settings,
  apps: readonly App[],
): Promise<readonly CheckResult[]> {
  const file = findDatabaseFile(settings);
  if (file !== undefined && !await fileExists(file)) {
    return [
      await checkWithin(0, "database", () => reportMissing(file, settings)),
    ];
  }
  try {
    using db = await openExisting(settings);
    const reachable = await checkWithin(
      DATABASE_MS,
      "database",
      () => checkLatency(db, settings),
    );
    if (reachable.status === "fail") {
      const url = redactDatabaseUrl(resolveDatabaseUrl(settings));
      return [{ ...reachable, detail: `${url}: ${reachable.detail}` }];
    }
    const others = [
      checkWithin(
        DATABASE_MS,
        "migrations",
        () => checkMigrations(db, settings, apps),
      ),
    ];
    if (file === undefined && db.client.protocol !== "file") {
      others.push(checkWithin(DATABASE_MS, "clock", () => checkClock(db)));
    }
    return [reachable, ...await Promise.all(others)];
  } catch (error) {
    return [{ name: "database", status: "fail", detail: toMessage(error) }];
  }
}

function reportMissing(file: string, { migrate }: Settings): Finding {
  return migrate ? `${file} is created at the first start` : {
    status: "fail",
    detail:
      `${file} does not exist, and BROWSERGRID_MIGRATE is off: run "browsergrid createdb"`,
  };
}

async function checkLatency(
  { client }: Database,
  settings: Settings,
): Promise<Finding> {
  const startedAt = systemClock.monotonic();
  await client.execute("SELECT 1");
  const ms = (systemClock.monotonic() - startedAt).toFixed(1);
  return `${
    redactDatabaseUrl(resolveDatabaseUrl(settings))
  } answers in ${ms} ms`;
}

async function checkMigrations(
  db: Database,
  settings: Settings,
  apps: readonly App[],
): Promise<Finding> {
  const status = await migrationStatus(
    db,
    await readAllMigrations(chooseApps(apps, settings)),
  );
  const problem = explainUnknown(status, {
    what: "the database",
    version: VERSION,
  });
  if (problem !== undefined) return { status: "fail", detail: problem };
  const pending = status.filter(({ appliedAt }) => appliedAt === undefined);
  if (pending.length === 0) return `All ${status.length} are applied`;
  return settings.migrate
    ? {
      status: "warn",
      detail: `${
        renderNames(pending)
      } will be applied at the next start, or by "browsergrid migrate"`,
    }
    : {
      status: "fail",
      detail: `${
        renderNames(pending)
      } not applied, and BROWSERGRID_MIGRATE is off: run "browsergrid migrate"`,
    };
}

function renderNames(migrations: readonly { readonly name: string }[]): string {
  return migrations.map(({ name }) => name).join(", ");
}

async function checkClock({ client }: Database): Promise<Finding> {
  const sentAt = systemClock.now();
  const { rows } = await client.execute(
    "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now",
  );
  const here = (sentAt + systemClock.now()) / 2;
  const apart = Math.abs(Number(rows[0]?.now) - here);
  const detail = `Clocks here and at the database are ${
    (apart / 1_000).toFixed(1)
  } s apart`;
  if (apart < CLOCK_WARN_MS) return detail;
  return {
    status: apart < CLOCK_FAIL_MS ? "warn" : "fail",
    detail: `${detail}: servers that share it need the same time (NTP)`,
  };
}
