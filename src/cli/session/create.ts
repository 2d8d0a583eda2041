import { Command } from "@commander-js/extra-typings";
import {
  type SessionInput,
  sessionInputSchema,
} from "../../apps/sessions/schemas.ts";
import { BROWSERS, OPERATING_SYSTEMS } from "../../core/browser_spec.ts";
import {
  type ClientFlags,
  withClientOptions,
} from "../options/client_flags.ts";
import { clientFrom } from "../config.ts";
import { examples, UsageError } from "../help.ts";
import type { Output } from "../output.ts";
import { type Session, waitSeconds, waitUntilRunning } from "./wait.ts";
import { parseScreen, SCREEN_EXAMPLE } from "../options/screen.ts";
import { suggested } from "../options/suggested.ts";

interface CreateFlags extends ClientFlags {
  readonly browser?: string;
  readonly browserVersion?: string;
  readonly headless?: string;
  readonly operatingSystem?: string;
  readonly screen?: string;
  readonly proxyUrl?: string;
  readonly env?: readonly string[];
  readonly argument?: readonly string[];
  readonly cpu?: string;
  readonly memory?: string;
  readonly pool?: string;
  readonly priority?: string;
  readonly timeoutMinutes?: string;
  readonly idleTimeoutSeconds?: string;
  readonly queueTimeoutSeconds?: string;
  readonly maxConnections?: string;
  readonly label?: readonly string[];
  readonly wait?: string | true;
  readonly idempotencyKey?: string;
}

/** `browsergrid session create`. */
export function sessionCreateCommand(output: Output): Command {
  const command = withClientOptions(new Command("create"))
    .description("Ask for a browser")
    .addOption(suggested("--browser <name>", "which browser", BROWSERS))
    .option("--browser-version <version>", "latest, stable or a version")
    .addOption(
      suggested("--headless <true|false>", "whether it has no window", [
        "true",
        "false",
      ]),
    )
    .addOption(
      suggested(
        "--operating-system <name>",
        "system it runs on",
        OPERATING_SYSTEMS,
      ),
    )
    .option("--screen <size>", SCREEN_EXAMPLE)
    .option("--proxy-url <url>", "proxy of the browser")
    .option("--env <name=value...>", "variables of the browser")
    .option(
      "--argument <argument...>",
      "arguments of the browser that the work pool allows, such as --argument=--accept-lang=de-DE",
    )
    .option("--cpu <number>", "cores that it may use")
    .option("--memory <size>", "memory that it may use, such as 2G")
    .option("--pool <pool>", "id or name of the work pool")
    .option("--priority <number>", "higher ones are served first")
    .option("--timeout-minutes <number>", "longest life")
    .option("--idle-timeout-seconds <number>", "longest time without use")
    .option("--queue-timeout-seconds <number>", "longest wait for a worker")
    .option("--max-connections <number>", "clients that may be connected (1)")
    .option("--label <name=value...>", "labels")
    .option("--wait [seconds]", "wait until it runs (60)")
    .option(
      "--idempotency-key <key>",
      "a repeat with the same key, within 24 h, gives the same session",
    )
    .addHelpText(
      "after",
      examples([
        "session create --wait",
        "session create --pool containers --browser chrome --headless false --screen 1920x1080",
        "session create --argument=--accept-lang=de-DE --argument=--mute-audio",
        "session create --label team=search --timeout-minutes 30 --json",
      ]),
    );
  command.action(async (flags: CreateFlags) => {
    const input = readInput(flags);
    const seconds = flags.wait && waitSeconds(flags.wait);
    const client = await clientFrom(flags, output);
    const created = await client.createSession(input, {
      idempotencyKey: flags.idempotencyKey,
    });
    if (!seconds) return printSession(created, flags, output);
    output.progress(`Session ${created.id} is asked for`);
    const options = { id: created.id, seconds, output };
    printSession(await waitUntilRunning(client, options), flags, output);
  });
  return command as unknown as Command; // Without the types of its own options.
}

/** What is needed to go on from here; all of it with `--json` or `session get`. */
function printSession(
  session: Session,
  { json }: CreateFlags,
  output: Output,
): void {
  if (json) return output.json(session);
  output.print(`Session  ${session.id}
Status   ${session.status}
Connect  ${session.connect_url}
Until    ${session.expires_at}`);
}

function readInput(flags: CreateFlags): SessionInput {
  const parsed = sessionInputSchema.safeParse(toInput(flags));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) =>
    `${path.join(".")}: ${message}`
  );
  throw new UsageError(`Cannot ask for the browser: ${faults.join("; ")}`);
}

function toInput(flags: CreateFlags): Record<string, unknown> {
  return defined({
    browser: flags.browser,
    version: flags.browserVersion,
    headless: flags.headless && (booleans.get(flags.headless) ??
      flags.headless),
    operating_system: flags.operatingSystem,
    screen: flags.screen && parseScreen(flags.screen),
    proxy: flags.proxyUrl && { proxy_url: flags.proxyUrl },
    environment: flags.env && parsePairs(flags.env),
    arguments: flags.argument,
    work_pool_id: flags.pool,
    priority: parseNumber(flags.priority),
    resource_limits: toLimits(flags),
    idle_timeout_seconds: parseNumber(flags.idleTimeoutSeconds),
    queue_timeout_seconds: parseNumber(flags.queueTimeoutSeconds),
    max_connections: parseNumber(flags.maxConnections),
    labels: flags.label && parsePairs(flags.label),
  });
}

const booleans = new Map([["true", true], ["false", false]]);

function toLimits({ cpu, memory, timeoutMinutes }: CreateFlags) {
  const limits = defined({
    cpu: parseNumber(cpu),
    memory,
    timeout_minutes: parseNumber(timeoutMinutes),
  });
  return Object.keys(limits).length === 0 ? undefined : limits;
}

function parsePairs(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text) => {
    const at = text.indexOf("=");
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  }));
}

function parseNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function defined(values: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  );
}
