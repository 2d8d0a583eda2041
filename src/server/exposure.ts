import type { Core } from "../core/app.ts";
import { isLoopback } from "../core/network.ts";
import type { Provider } from "../core/provider.ts";
import { type Settings, SettingsError } from "../core/settings.ts";

/**
 * Rejects an address beyond loopback if no key is required.
 *
 * @param isKeyChecked True if the middleware that requires API keys is in use.
 * @throws {SettingsError} Explains what to change.
 */
export async function rejectExposure(
  { settings, auth }: Pick<Core, "settings" | "auth">,
  isKeyChecked: boolean,
): Promise<void> {
  const { host } = settings;
  if (isLoopback(host)) return;
  const start =
    `Cannot listen on ${host}: every client that reaches the port could use the grid`;
  if (!isKeyChecked) {
    throw new SettingsError(
      `${start}, because middleware "api_key" is not in use, expected it in the setting "middleware", or a loopback address such as 127.0.0.1`,
    );
  }
  if (await auth.hasKey()) return;
  throw new SettingsError(
    `${start}, because there is no key, expected an admin key.
Set BROWSERGRID_API_KEY to a long random text:
  export BROWSERGRID_API_KEY=$(openssl rand -hex 32)
or create a key in the database and pass it to the server's clients:
  browsergrid key create admin --role admin --direct
or listen on 127.0.0.1, which only this machine reaches.`,
  );
}

/**
 * Rejects a worker in this process if its browsers must be isolated from the host and cannot be.
 *
 * @param provider Provider of the worker in this process; undefined if there is none.
 * @throws {SettingsError} Explains what to change.
 */
export async function rejectUnisolatedHost(
  grid: { hasClientKey(): Promise<boolean> },
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
or, if you trust every client with this host's files and network, set local_sandbox to "off":
  export BROWSERGRID_LOCAL_SANDBOX=off`,
  );
}
