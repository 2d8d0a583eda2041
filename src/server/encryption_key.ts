import { dirname, join } from "node:path";
import { createLogger } from "../core/log.ts";
import { SecretCipher } from "../db/secrets.ts";
import type { Database, Secrets } from "../core/database.ts";
import { KEY_BYTES, parseKey } from "../core/redact.ts";
import { type Settings, SettingsError } from "../core/settings.ts";

const log = createLogger("server", "encryption_key");

/** Name of the key file in the data folder. */
export const KEY_FILE = "encryption.key";

/** Names of the temporary files of {@linkcode makeKey}. */
const UNFINISHED =
  /^encryption\.key\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Opens the secrets of the grid in `db` with the key of the settings, or of a file in the data folder. The file is
 * created if no secret in the database needs an existing key.
 *
 * @throws {SettingsError} If there is no key and none can be created: the database is remote, or its key is lost.
 */
export async function openSecrets(
  db: Database,
  settings: Settings,
): Promise<Secrets> {
  const { encryption_key, previous_encryption_keys } = settings;
  const key = encryption_key === undefined
    ? await loadKeyFile(db, settings)
    : decodeKey(encryption_key, "setting encryption_key");
  return new SecretCipher(
    key,
    previous_encryption_keys.map((each) =>
      decodeKey(each, "setting previous_encryption_keys")
    ),
  );
}

/**
 * Reports whether the settings, or the file in the data folder, have the key of a secret of the grid. Changes no file.
 *
 * @param secret Row of the grid's own secrets.
 */
export async function canOpen(
  { name, value }: { readonly name: string; readonly value: string },
  { encryption_key, previous_encryption_keys, data_dir }: Settings,
): Promise<boolean> {
  const key = encryption_key === undefined
    ? await readKey(join(data_dir, KEY_FILE))
    : decodeKey(encryption_key, "setting encryption_key");
  if (!key) return false;
  const previous = previous_encryption_keys.map((each) =>
    decodeKey(each, "setting previous_encryption_keys")
  );
  try {
    const cipher = new SecretCipher(key, previous);
    await cipher.open(value, ["grid_secrets", "value", name]);
    return true;
  } catch {
    return false;
  }
}

async function loadKeyFile(
  db: Database,
  { data_dir, database_url }: Settings,
): Promise<Bytes> {
  if (db.client.protocol !== "file") {
    throw new SettingsError(
      "Cannot encrypt the secrets in a remote database: there is no key, expected 32 random bytes in BROWSERGRID_ENCRYPTION_KEY, the same for every server (create them with: openssl rand -hex 32)",
    );
  }
  if (database_url === ":memory:") return newKey();
  const path = join(data_dir, KEY_FILE);
  const found = await readKey(path);
  if (found) {
    await removeUnfinished(path);
    return found;
  }
  if (await isEncrypted(db)) {
    throw new SettingsError(
      `Cannot read the secrets in the database: their key is missing, expected the file "${path}" or BROWSERGRID_ENCRYPTION_KEY; if it is lost, see "Secrets in the database" in docs/security.md`,
    );
  }
  return await makeKey(path);
}

async function readKey(path: string): Promise<Bytes | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new SettingsError(
      `Cannot read the encryption key: "${path}" is not readable, expected a file of this user`,
      { cause },
    );
  }
  const { mode } = await Deno.stat(path);
  if (Deno.build.os !== "windows" && ((mode ?? 0) & 0o077) !== 0) {
    log.warn("Encryption key {path} is readable by other users, chmod 600 it", {
      path,
    });
  }
  return decodeKey(text, `file "${path}"`);
}

/** Creates the file atomically. If two processes create it at once, both use the first one's. */
async function makeKey(path: string): Promise<Bytes> {
  const key = newKey();
  const temporary = `${path}.${crypto.randomUUID()}`;
  const options = { mode: 0o600, createNew: true };
  await Deno.writeTextFile(temporary, `${key.toHex()}\n`, options);
  try {
    await Deno.link(temporary, path);
    log.info(
      "Created encryption key {path}: back it up, separately from the database",
      { path },
    );
    return key;
  } catch (error) {
    const other = await readKey(path);
    if (other) return other;
    throw error;
  } finally {
    await Deno.remove(temporary).catch(() => {});
  }
}

/** Removes the temporary file of a process that was killed while it created the key, and no copy of an operator. */
async function removeUnfinished(path: string): Promise<void> {
  const folder = dirname(path);
  for await (const { name } of Deno.readDir(folder)) {
    if (!UNFINISHED.test(name)) continue;
    await Deno.remove(join(folder, name)).catch(() => {});
  }
}

function newKey(): Bytes {
  return crypto.getRandomValues(new Uint8Array(KEY_BYTES));
}

function decodeKey(text: string, where: string): Bytes {
  const key = parseKey(text);
  if (key) return key;
  throw new SettingsError(
    `Cannot use the encryption key of ${where}: expected 32 bytes in hex (64 digits) or base64 (44 characters)`,
  );
}

/** Reports whether the grid's own secret is encrypted. It is the first secret that is ever encrypted. */
async function isEncrypted({ client }: Database): Promise<boolean> {
  const { rows: tables } = await client.execute(
    "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'grid_secrets'",
  );
  if (tables.length === 0) return false;
  const { rows } = await client.execute(
    "SELECT 1 FROM grid_secrets WHERE value LIKE 'v1.%' LIMIT 1",
  );
  return rows.length > 0;
}

/**
 * Rewrites a database file that contained plain-text secrets, so that neither its pages nor its log contain them any
 * more. The host of a remote database has to do this itself.
 */
export async function scrubPlainText({ client }: Database): Promise<void> {
  if (client.protocol !== "file") return;
  try {
    await client.execute("VACUUM");
    await client.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (error) {
    log.warn(
      "Old pages of the database may still contain plain-text secrets, run VACUUM once: {error}",
      { error },
    );
  }
}
