import { Command } from "@commander-js/extra-typings";
import {
  type SessionInput,
  sessionInputSchema,
} from "../apps/sessions/schemas.ts";
import type { GridClient } from "../client/client.ts";
import { systemClock } from "../core/clock.ts";
import { clientFrom } from "./config.ts";
import type { Output } from "./output.ts";
import { type ClientFlags, showRecord, withClientOptions } from "./pool.ts";

/** How long `--wait` without a number waits. */
const WAIT_SECONDS = 60;

/** Pause between two looks at a session that is awaited. */
const LOOK_MS = 300;

type Session = Awaited<ReturnType<GridClient["getSession"]>>;

interface CreateFlags extends ClientFlags {
  readonly browser?: string;
  readonly browserVersion?: string;
  readonly headless?: string;
  readonly operatingSystem?: string;
  readonly screen?: string;
  readonly proxyUrl?: string;
  readonly env?: readonly string[];
  readonly cpu?: string;
  readonly memory?: string;
  readonly pool?: string;
  readonly priority?: string;
  readonly timeoutMinutes?: string;
  readonly idleTimeoutSeconds?: string;
  readonly label?: readonly string[];
  readonly wait?: string | true;
  readonly idempotencyKey?: string;
}

/** `browsergrid session create`. */
export function sessionCreateCommand(output: Output): Command {
  const command = withClientOptions(new Command("create"))
    .description("Ask for a browser")
    .option("--browser <name>", "chrome, chromium, edge, firefox, safari")
    .option("--browser-version <version>", "latest, stable or a version")
    .option("--headless <true|false>", "whether it has no window")
    .option("--operating-system <name>", "linux, windows or macos")
    .option("--screen <size>", "such as 1280x720")
    .option("--proxy-url <url>", "proxy of the browser")
    .option("--env <name=value...>", "variables of the browser")
    .option("--cpu <number>", "cores that it may use")
    .option("--memory <size>", "memory that it may use, such as 2G")
    .option("--pool <pool>", "id or name of the work pool")
    .option("--priority <number>", "higher ones are served first")
    .option("--timeout-minutes <number>", "longest life")
    .option("--idle-timeout-seconds <number>", "longest time without use")
    .option("--label <name=value...>", "labels")
    .option("--wait [seconds]", "wait until it runs (60)")
    .option(
      "--idempotency-key <key>",
      "a repeat with the same key, within 24 h, gives the same session",
    );
  command.action(async (flags: CreateFlags) => {
    const client = await clientFrom(flags, output);
    const created = await client.createSession(readInput(flags), {
      idempotencyKey: flags.idempotencyKey,
    });
    const session = flags.wait
      ? await waitUntilRunning(client, created, flags.wait, output)
      : created;
    showRecord(session, flags.json, output);
  });
  return command as unknown as Command; // Without the types of its own options.
}

function readInput(flags: CreateFlags): SessionInput {
  const parsed = sessionInputSchema.safeParse(inputOf(flags));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) =>
    `${path.join(".")}: ${message}`
  );
  throw new Error(`Cannot ask for the browser: ${faults.join("; ")}`);
}

function inputOf(flags: CreateFlags): Record<string, unknown> {
  return defined({
    browser: flags.browser,
    version: flags.browserVersion,
    headless: flags.headless && (booleans.get(flags.headless) ??
      flags.headless),
    operating_system: flags.operatingSystem,
    screen: flags.screen && screenOf(flags.screen),
    proxy: flags.proxyUrl && { proxy_url: flags.proxyUrl },
    environment: flags.env && pairsOf(flags.env),
    work_pool_id: flags.pool,
    priority: numberOf(flags.priority),
    resource_limits: limitsOf(flags),
    idle_timeout_seconds: numberOf(flags.idleTimeoutSeconds),
    labels: flags.label && pairsOf(flags.label),
  });
}

const booleans = new Map([["true", true], ["false", false]]);

function screenOf(text: string) {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  if (width === undefined) {
    throw new Error(
      `Cannot use --screen "${text}": expected WIDTHxHEIGHT, such as 1280x720`,
    );
  }
  return { width: Number(width), height: Number(height) };
}

function limitsOf({ cpu, memory, timeoutMinutes }: CreateFlags) {
  const limits = defined({
    cpu: numberOf(cpu),
    memory,
    timeout_minutes: numberOf(timeoutMinutes),
  });
  return Object.keys(limits).length === 0 ? undefined : limits;
}

function pairsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text) => {
    const at = text.indexOf("=");
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  }));
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function defined(values: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  );
}

/** Shows what happens to the session until it runs. @throws {Error} If it ends before, or does not run in time. */
async function waitUntilRunning(
  client: GridClient,
  { id }: Session,
  wait: string | true,
  output: Output,
): Promise<Session> {
  const seconds = wait === true ? WAIT_SECONDS : Number(wait);
  if (!(seconds > 0)) {
    throw new Error(
      `Cannot use --wait "${wait}": expected a number of seconds above 0`,
    );
  }
  const deadline = systemClock.monotonic() + seconds * 1_000;
  let after = 0;
  for (;;) {
    const { items } = await client.sessionEvents(id, { after });
    for (const { seq, event, data } of items) {
      output.progress(`${event} ${data.message ?? data.reason ?? ""}`.trim());
      after = seq;
    }
    const session = await client.getSession(id);
    if (session.status === "running") return session;
    if (session.ended_at !== null) {
      throw new Error(
        `Session ${id} is ${session.status}: ${session.status_reason ?? ""}`,
      );
    }
    if (systemClock.monotonic() > deadline) {
      throw new Error(
        `Session ${id} is still ${session.status} after ${seconds} s; it goes on: browsergrid session get ${id}`,
      );
    }
    await systemClock.sleep(LOOK_MS);
  }
}
