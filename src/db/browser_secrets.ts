/**
 * Encryption of the secrets in a browser's configuration: environment values and the proxy password. Each value is
 * encrypted separately in place, so that names and addresses can be shown and queried without a key.
 *
 * @module
 */
import type { Proxy } from "../core/browser_spec.ts";
import type { Secrets } from "../core/database.ts";
import { isSealed } from "./secrets.ts";

type Environment = Readonly<Record<string, string>>;

/** A row with secrets, and the names of their columns. */
export interface SecretRow {
  readonly table: string;
  readonly id: string;
  /** Names of the columns of environment and proxy. */
  readonly columns: readonly [environment: string, proxy: string];
}

/** Environment and proxy of one row; null and undefined stay unchanged. */
export interface BrowserSecrets {
  readonly environment: Environment | null | undefined;
  readonly proxy: Proxy | null | undefined;
}

/** Environment and proxy after encryption or decryption. */
interface ChangedSecrets {
  environment: Record<string, string> | null | undefined;
  proxy: Proxy | null | undefined;
}

/** Encrypts the secrets of one row. */
export async function sealBrowserSecrets(
  secrets: Secrets,
  given: BrowserSecrets,
  row: SecretRow,
): Promise<ChangedSecrets> {
  return await mapSecrets(
    given,
    (value, column) => secrets.seal(value, [row.table, column, row.id]),
    row,
  );
}

/** Decrypts the secrets of one row. Values from before encryption are plain text. */
export async function openBrowserSecrets(
  secrets: Secrets,
  stored: BrowserSecrets,
  row: SecretRow,
): Promise<ChangedSecrets> {
  return await mapSecrets(
    stored,
    async (value, column) =>
      isSealed(value)
        ? await secrets.open(value, [row.table, column, row.id])
        : value,
    row,
  );
}

/** Reports whether a value in the row is plain text. */
export function hasPlain({ environment, proxy }: BrowserSecrets): boolean {
  const password = proxy?.proxy_password;
  return Object.values(environment ?? {}).some((value) => !isSealed(value)) ||
    password !== undefined && !isSealed(password);
}

async function mapSecrets(
  { environment, proxy }: BrowserSecrets,
  change: (value: string, column: string) => Promise<string>,
  { columns: [environmentColumn, proxyColumn] }: SecretRow,
): Promise<ChangedSecrets> {
  const password = proxy?.proxy_password;
  const [pairs, changed] = await Promise.all([
    environment && Promise.all(
      Object.entries(environment).map(async ([name, value]) =>
        [name, await change(value, `${environmentColumn}.${name}`)] as const
      ),
    ),
    password === undefined
      ? undefined
      : change(password, `${proxyColumn}.proxy_password`),
  ]);
  return {
    environment: pairs && Object.fromEntries(pairs),
    proxy: proxy && changed !== undefined
      ? { ...proxy, proxy_password: changed }
      : proxy,
  };
}
