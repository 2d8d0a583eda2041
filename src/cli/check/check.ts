import { toMessage } from "../../core/log.ts";
import type { CheckResult, Provider } from "../../core/provider.ts";
import { Registry } from "../../core/registry.ts";
import { SettingsError } from "../../core/settings.ts";
import type { CommandContext } from "../command.ts";
import { explainSettings } from "../config.ts";
import { EXIT, UsageError } from "../exit.ts";
import type { DatabaseCommandOptions } from "../options/shared_options.ts";
import type { Output } from "../output.ts";
import { wrapText } from "../wrap_text.ts";
import { checkDatabase } from "./database.ts";
import { checkMachine, checkSettings } from "./host.ts";
import { checkProvider, isUsable } from "./provider.ts";
import {
  type GivenConfig,
  parseConfig,
  reportMissingSecrets,
} from "./provider_config.ts";
import { checkServer } from "./server.ts";

/** Options of `browsergrid check`. */
export interface CheckOptions extends DatabaseCommandOptions {
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  /** Names of the providers that are checked. @default All. */
  readonly provider?: readonly string[] | undefined;
  /** Configuration of a pool of the only provider, or the pool, as JSON or `@FILE`. @default {} */
  readonly provider_config?: string | undefined;
  readonly verbose?: boolean | undefined;
}

/** The results of all checks. */
interface Report {
  readonly ok: boolean;
  readonly checks: readonly CheckResult[];
  readonly providers: Readonly<Record<string, readonly CheckResult[]>>;
}

/** Runs all checks and prints their results. Resolves with the exit code. */
export async function runChecks(
  options: CheckOptions,
  context: CommandContext,
): Promise<number> {
  const report = await check(options, context);
  if (options.json) context.output.json(report);
  else printReport(report, context.output);
  return report.ok ? EXIT.done : EXIT.failed;
}

async function check(
  options: CheckOptions,
  context: CommandContext,
): Promise<Report> {
  const known = await context.loadProviders();
  const providers = chooseProviders(options.provider, known);
  const given = parseConfig(options);
  try {
    return await checkAll(options, { providers, given }, context);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const checks = error.message.split("\n").map((detail) =>
      ({ name: "settings", status: "fail", detail }) as const
    );
    return { ok: false, checks, providers: {} };
  }
}

async function checkAll(
  options: CheckOptions,
  { providers, given }: {
    readonly providers: readonly Provider[];
    readonly given: GivenConfig;
  },
  { loadInstalled }: CommandContext,
): Promise<Report> {
  const { host, port, database_url, data_dir, verbose } = options;
  const flags = { database_url, data_dir, host, port };
  const loaded = await explainSettings(flags, options);
  const { settings, origins } = loaded;
  const { apps } = await loadInstalled();
  const [ofHost, ofDatabase, ofServer, ...ofProviders] = await Promise.all([
    checkMachine(settings),
    checkDatabase(settings, apps),
    checkServer(settings, { isNamed: origins.api_url !== "default" }),
    ...providers.map(async (provider) => [
      ...reportMissingSecrets(given),
      ...await checkProvider(provider, settings, given.config),
    ]),
  ]);
  const checks = [
    ...checkSettings(loaded),
    ...(verbose ? listOrigins(origins) : []),
    ...ofHost,
    ...ofDatabase,
    ofServer,
  ];
  const canStart = options.provider === undefined
    ? ofProviders.some(isUsable)
    : ofProviders.every(isUsable);
  const byProvider = providers.map(({ name }, at) => {
    const results = ofProviders[at] ?? [];
    return [name, canStart ? results.map(tolerate) : results] as const;
  });
  return {
    ok: canStart && checks.every(({ status }) => status !== "fail"),
    checks,
    providers: Object.fromEntries(byProvider),
  };
}

/** Makes a failure a warning, because another provider can start browsers. */
function tolerate(result: CheckResult): CheckResult {
  return result.status === "fail" ? { ...result, status: "warn" } : result;
}

function chooseProviders(
  names: readonly string[] | undefined,
  providers: readonly Provider[],
): readonly Provider[] {
  const known = new Registry("provider", providers);
  try {
    return names?.map((name) => known.get(name)) ?? providers;
  } catch (cause) {
    throw new UsageError(toMessage(cause), { cause });
  }
}

function listOrigins(
  origins: Readonly<Record<string, string>>,
): readonly CheckResult[] {
  return Object.entries(origins).filter(([, origin]) => origin !== "default")
    .map(([name, origin]) => ({
      name: "setting",
      status: "ok",
      detail: `${name} is given by ${origin}`,
    }));
}

function printReport(
  { ok, checks, providers }: Report,
  output: Output,
): void {
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
    output.print(wrapText(start, detail, columns));
  }
  const failed = lines.filter(({ status }) => status === "fail").length;
  output.print(
    ok ? "\nReady to start" : `\nNot ready: ${renderFailures(failed)}`,
  );
}

function renderFailures(count: number): string {
  if (count === 0) return "none of the named providers can start browsers";
  return count === 1 ? "1 check failed" : `${count} checks failed`;
}
