import type { Core } from "../core/app.ts";
import { isLoopback } from "../core/loopback.ts";
import { SettingsError } from "../core/settings.ts";

/**
 * Refuses to listen where others could use the grid without a key.
 *
 * @throws {SettingsError} With what to do.
 */
export async function refuseExposure(
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
