import { Command } from "@commander-js/extra-typings";
import { systemClock } from "../core/clock.ts";
import { openDatabase } from "../core/db/client.ts";
import { migrationStatus } from "../core/db/migrate.ts";
import type { CheckResult, Provider } from "../core/provider.ts";
import type { Settings } from "../core/settings.ts";
import { type CommonFlags, settingsFrom } from "./config.ts";
import { chosenApps, databaseUrlOf, migrationsOf } from "./grid.ts";
import type { Output } from "./output.ts";
import type { Installed } from "./plugins.ts";

const MARKS = { ok: "✓", warn: "!", fail: "✗" } as const;

/** Longest wait for one provider's answer. */
const PROVIDER_MS = 20_000;

interface CheckFlags extends CommonFlags {
  readonly json?: boolean | undefined;
  readonly dataDir?: string | undefined;
  readonly databaseUrl?: string | undefined;
  readonly port?: string | undefined;
}

/** `browsergrid check`: what a start needs, and whether it is there. */
export function checkCommand(
  output: Output,
  code: { value: number },
  installed: Installed,
): Command {
  const command = new Command("check")
    .description("Tell what a start needs, and whether it is there")
    .option("--database-url <url>", "file:PATH, :memory: or libsql://HOST")
    .option("--data-dir <folder>", "folder for database, browsers and state")
    .option("--port <number>", "port that serve is to listen on")
    .option("--config <file>", "configuration file (browsergrid.json)")
    .option("--json", "print JSON")
    .option("--debug", "show where an error came from")
    .addHelpText(
      "after",
      "\nExit code 1: something that serve needs is not there. What a provider lacks counts only if no provider can start browsers.",
    );
  command.action(async (flags: CheckFlags) => {
    const settings = await settingsFrom(
      {
        database_url: flags.databaseUrl,
        data_dir: flags.dataDir,
        port: flags.port,
      },
      flags,
      output,
    );
    const own = [
      await checkFolder(settings),
      await checkDatabase(settings, installed),
      checkPort(settings),
    ];
    const providers = await Promise.all(
      installed.providers.map(async (provider) =>
        [provider.name, await checkProvider(provider, settings)] as const
      ),
    );
    const canStart = providers.some(([, results]) =>
      results.every(({ status }) => status !== "fail")
    );
    const isGood = canStart && own.every(({ status }) => status !== "fail");
    code.value = isGood ? 0 : 1;
    if (flags.json) {
      return output.json({
        ok: isGood,
        checks: own,
        providers: Object.fromEntries(providers),
      });
    }
    printAll("grid", own, output);
    for (const [name, results] of providers) {
      printAll(`provider ${name}`, results, output);
    }
  });
  return command as unknown as Command; // Without the types of its own options.
}

function printAll(
  title: string,
  results: readonly CheckResult[],
  output: Output,
): void {
  output.print(title);
  for (const { name, status, detail } of results) {
    output.print(`  ${MARKS[status]} ${name.padEnd(12)} ${detail}`);
  }
}

async function attempt(
  name: string,
  act: () => Promise<string> | string,
): Promise<CheckResult> {
  try {
    return { name, status: "ok", detail: await act() };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { name, status: "fail", detail };
  }
}

function checkFolder({ data_dir }: Settings): Promise<CheckResult> {
  return attempt("data_dir", async () => {
    await Deno.mkdir(data_dir, { recursive: true });
    await Deno.remove(await Deno.makeTempFile({ dir: data_dir }));
    return `${data_dir} may be written`;
  });
}

function checkDatabase(
  settings: Settings,
  { apps }: Installed,
): Promise<CheckResult> {
  return attempt("database", async () => {
    const url = databaseUrlOf(settings);
    using db = await openDatabase(url, {
      authToken: settings.database_auth_token,
    });
    const status = await migrationStatus(
      db,
      await migrationsOf(chosenApps(apps, settings)),
    );
    const missing = status.filter(({ appliedAt }) => appliedAt === undefined);
    return missing.length === 0
      ? `${url} is up to date`
      : `${url}: ${missing.length} migrations are applied at the next start`;
  });
}

function checkPort({ host, port }: Settings): CheckResult {
  try {
    Deno.listen({ hostname: host, port }).close();
    return { name: "port", status: "ok", detail: `${host}:${port} is free` };
  } catch {
    return {
      name: "port",
      status: "warn",
      detail: `${host}:${port} is taken: by a running server?`,
    };
  }
}

async function checkProvider(
  provider: Provider,
  { data_dir }: Settings,
): Promise<readonly CheckResult[]> {
  const config = provider.configSchema.safeParse({});
  if (!config.success) {
    const names = config.error.issues.map(({ path }) => path.join("."));
    return [{
      name: "config",
      status: "warn",
      detail: `Not checked: a pool must give ${names.join(", ")}`,
    }];
  }
  const host = { gridId: "check", workerId: "check", dataDir: data_dir };
  try {
    await using opened = await provider.open(config.data, host);
    return await withinTime(opened.check());
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return [{ name: provider.name, status: "fail", detail }];
  }
}

async function withinTime<T>(work: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = systemClock.sleep(PROVIDER_MS, stop.signal).then(() => {
    throw new Error(`No answer within ${PROVIDER_MS / 1_000} s`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    stop.abort();
  }
}
