import type { Core } from "../core/app.ts";
import { isLoopback } from "../core/network.ts";
import type { Provider } from "../core/provider.ts";
import { type Settings, SettingsError } from "../core/settings.ts";
import type { Grid } from "./grid.ts";

/**
 * Refuses to listen where others could use the grid without a key.
 *
 * @throws {SettingsError} With what to do.
 */
export async function rejectExposure(
  { settings, auth }: Pick<Core, "settings" | "auth">,
  isAskedForKeys: boolean,
): Promise<void> {
  const { host } = settings;
  if (isLoopback(host)) return;
  const what =
    `Cannot listen on ${host}: whoever reaches the port could use the grid`;
  if (!isAskedForKeys) {
    throw new SettingsError(
      `${what}, for middleware "api_key" is not in use, expected it in the setting "middleware", or a host of this machine only such as 127.0.0.1`,
    );
  }
  if (await auth.hasKey()) return;
  throw new SettingsError(
    `${what}, for there is no key, expected one of an admin.
Set BROWSERGRID_API_KEY to a long random text:
  export BROWSERGRID_API_KEY=$(openssl rand -hex 32)
or make a key in the database, and give it to whoever calls the server:
  browsergrid key create admin --role admin --direct
or listen on 127.0.0.1, where only this machine reaches the port.`,
  );
}

/**
 * Refuses to start a worker for clients on a host that their browsers cannot be isolated from.
 *
 * @param provider Provider of the worker in this process; undefined if there is none.
 * @throws {SettingsError} Explains what to change.
 */
export async function rejectUnisolatedHost(
  grid: Pick<Grid, "hasClientKey">,
  { local_sandbox }: Pick<Settings, "local_sandbox">,
  provider: Provider | undefined,
): Promise<void> {
  if (local_sandbox === "off" || !provider?.isolationProblem) return;
  const isAll = local_sandbox === "require";
  if (!isAll && !await grid.hasClientKey()) return;
  const problem = await provider.isolationProblem();
  if (problem === undefined) return;
  const why = isAll ? 'local_sandbox is "require"' : "there are client keys";
  throw new SettingsError(
    `Cannot start a worker of provider "${provider.name}": ${why}, and sessions cannot be isolated from this host, whose files and network a client could then reach: ${problem}.
Make it possible, run browsers with the docker provider:
  browsergrid serve --with-worker docker
or, if every client may use this host as you do, set local_sandbox to "off":
  export BROWSERGRID_LOCAL_SANDBOX=off`,
  );
}
