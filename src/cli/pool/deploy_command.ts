import { resolveEgressPolicy } from "../../apps/workerpool/manager.ts";
import type { GridClient } from "../../client/client.ts";
import type { BrowserSpec } from "../../core/browser_spec.ts";
import { parseMemory } from "../../core/schema.ts";
import { BUILT_IN_ADMINS } from "../../core/caller.ts";
import type { Provider } from "../../core/provider.ts";
import { Registry } from "../../core/registry.ts";

type Session = Awaited<ReturnType<GridClient["getSession"]>>;

/** A session and the pool that it is started from. */
export interface DeployOptions {
  /** Id or name. */
  readonly pool: string;
  readonly session: string;
  readonly providers: readonly Provider[];
}

/** Returns the command by which a person would start the browser of a session. Secrets are replaced by `...`. */
export async function renderDeployCommand(
  client: GridClient,
  { pool: poolRef, session: id, providers }: DeployOptions,
): Promise<string> {
  const [pool, session] = await Promise.all([
    client.getPool(poolRef),
    client.getSession(id),
  ]);
  const registry = new Registry("provider", providers);
  const provider = registry.get(pool.provider_type);
  const config = provider.configSchema.parse({
    ...pool.provider_config,
    ...Object.fromEntries(
      pool.provider_secrets.map((name) => [name, "\u2026"]),
    ),
  });
  const isolated = await isIsolated(client, session.owner);
  const egress = resolveEgressPolicy({
    name: pool.name,
    egress: pool.egress,
    egressAllow: pool.egress_allow,
  }, isolated);
  const spec = { ...toBrowserSpec(session), isolated, egress };
  return await provider.deployCommand(spec, config);
}

/**
 * Reports whether the sessions of `owner` belong to a client key. Only admins can read keys; a client sees only its
 * sessions.
 */
async function isIsolated(client: GridClient, owner: string): Promise<boolean> {
  if (BUILT_IN_ADMINS.includes(owner)) return false;
  const key = await client.getKey(owner).catch(() => undefined);
  return key?.role !== "admin";
}

/** Returns the public part of a session's browser. Variables have their names only. */
function toBrowserSpec(
  session: Session,
): Omit<BrowserSpec, "isolated" | "egress"> {
  const { cpu, memory } = session.resource_limits;
  const memoryBytes = memory === undefined ? undefined : parseMemory(memory);
  return {
    browser: session.browser,
    version: session.version,
    headless: session.headless,
    screen: session.screen,
    environment: Object.fromEntries(
      session.environment.map((name) => [name, "\u2026"]),
    ),
    arguments: session.arguments,
    ...(session.proxy === null ? {} : { proxy: session.proxy }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
}
