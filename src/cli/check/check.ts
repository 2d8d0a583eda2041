import { Command } from "@commander-js/extra-typings";
import { toMessage } from "../../core/log.ts";
import type { CheckResult, Provider } from "../../core/provider.ts";
import { Registry } from "../../core/registry.ts";
import { SettingsError } from "../../core/settings.ts";
import { checkDatabase } from "./database.ts";
import { checkHost, checkSettings } from "./host.ts";
import { checkProvider, isUsable } from "./provider.ts";
import { checkServer } from "./server.ts";
import { loadedSettings } from "../config.ts";
import {
  type DatabaseFlags,
  withDatabaseOptions,
} from "../options/database_flags.ts";
import { hangingText } from "../hanging_text.ts";
import { examples, EXIT, UsageError } from "../help.ts";
import type { Output } from "../output.ts";
import type { Installed } from "../plugins.ts";
import { suggested } from "../options/suggested.ts";

interface CheckFlags extends DatabaseFlags {
  readonly verbose?: boolean | undefined;
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly provider?: readonly string[] | undefined;
}

/** What was found. */
interface Report {
  readonly ok: boolean;
  readonly checks: readonly CheckResult[];
  readonly providers: Readonly<Record<string, readonly CheckResult[]>>;
}

/** `browsergrid check`: what a start needs, and whether it is there. */
export function checkCommand(
  output: Output,
  code: { value: number },
  installed: Installed,
): Command {
  const command = withDatabaseOptions(new Command("check"))
    .description("Tell what a start needs, and whether it is there")
    .option("--host <address>", "address that serve is to listen on")
    .option("--port <number>", "port that serve is to listen on")
    .addOption(
      suggested(
        "--provider <name...>",
        "check these providers, and need them all",
        installed.providers.map(({ name }) => name),
      ),
    )
    .option("--verbose", "say also where each setting comes from")
    .addHelpText(
      "after",
      examples(
        [
          "check",
          "check --provider docker",
          "check --host 0.0.0.0 --port 80",
          "check --json",
        ],
        `Exit code 1: something that "serve" or "worker" needs is missing.
What a provider lacks counts only if no provider can start browsers, or if it
is named. It makes nothing but the data folder.`,
      ),
    );
  command.action(async () => {
    const flags = command.opts() as CheckFlags; // The options above.
    const report = await check(flags, installed);
    code.value = report.ok ? EXIT.done : EXIT.failed;
    if (flags.json) output.json(report);
    else print(report, output);
  });
  return command as unknown as Command; // Without the types of its own options.
}

async function check(
  flags: CheckFlags,
  installed: Installed,
): Promise<Report> {
  const providers = chosenProviders(flags.provider, installed);
  try {
    return await checkAll(flags, { ...installed, providers });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const checks = error.message.split("\n").map((detail) =>
      ({ name: "settings", status: "fail", detail }) as const
    );
    return { ok: false, checks, providers: {} };
  }
}

async function checkAll(
  flags: CheckFlags,
  { apps, providers }: Pick<Installed, "apps" | "providers">,
): Promise<Report> {
  const loaded = await loadedSettings(
    {
      database_url: flags.databaseUrl,
      data_dir: flags.dataDir,
      host: flags.host,
      port: flags.port,
    },
    flags,
  );
  const { settings, origins } = loaded;
  const [host, database, server, ...ofProviders] = await Promise.all([
    checkHost(settings),
    checkDatabase(settings, apps),
    checkServer(settings, origins.api_url !== "default"),
    ...providers.map((provider) => checkProvider(provider, settings)),
  ]);
  const given = flags.verbose ? originsOf(origins) : [];
  const checks = [
    ...checkSettings(loaded),
    ...given,
    ...host,
    ...database,
    server,
  ];
  const needsAll = flags.provider !== undefined;
  const canStart = needsAll
    ? ofProviders.every(isUsable)
    : ofProviders.some(isUsable);
  const named = providers.map(({ name }, at) => {
    const results = ofProviders[at] ?? [];
    return [name, canStart ? results.map(tolerated) : results] as const;
  });
  return {
    ok: canStart && checks.every(({ status }) => status !== "fail"),
    checks,
    providers: Object.fromEntries(named),
  };
}

/** Another provider can start browsers: what this one lacks is worth knowing, no more. */
function tolerated(result: CheckResult): CheckResult {
  return result.status === "fail" ? { ...result, status: "warn" } : result;
}

function chosenProviders(
  names: readonly string[] | undefined,
  { providers }: Installed,
): readonly Provider[] {
  const known = new Registry("provider", providers);
  try {
    return names?.map((name) => known.get(name)) ?? providers;
  } catch (cause) {
    throw new UsageError(toMessage(cause), { cause });
  }
}

function originsOf(
  origins: Readonly<Record<string, string>>,
): readonly CheckResult[] {
  return Object.entries(origins).filter(([, from]) => from !== "default").map((
    [name, from],
  ) => ({
    name: "setting",
    status: "ok",
    detail: `${name} is given by ${from}`,
  }));
}

function print({ ok, checks, providers }: Report, output: Output): void {
  const lines = [
    ...checks,
    ...Object.entries(providers).flatMap(([provider, results]) =>
      results.map((result) => ({
        ...result,
        name: `${provider} ${result.name}`,
      }))
    ),
  ];
  const columns = output.isTerminal ? Deno.consoleSize().columns : Infinity;
  const width = Math.max(...lines.map(({ name }) => name.length));
  for (const { name, status, detail } of lines) {
    const start = `${status.padEnd(4)}  ${name.padEnd(width)}  `;
    output.print(hangingText(start, detail, columns));
  }
  const failed = lines.filter(({ status }) => status === "fail").length;
  const why = failed === 0
    ? "no provider that was asked for can start browsers"
    : failed === 1
    ? "1 check failed"
    : `${failed} checks failed`;
  output.print(ok ? "\nReady to start" : `\nNot ready: ${why}`);
}
