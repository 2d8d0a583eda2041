import { and, eq, notLike } from "drizzle-orm";
import type {
  Database,
  SecretPosition,
  Secrets,
} from "../../../core/database.ts";
import { batchNamed } from "../../../db/batch_named.ts";
import { isSealed } from "../../../db/secrets.ts";
import { gridSecrets } from "../models.ts";

/** Name of the secret that signs connect tokens. */
const CONNECT_TOKENS = "connect_tokens";

/** Secrets that all servers of the grid share. */
export class GridSecretStore {
  readonly #orm: Database["orm"];
  readonly #secrets: Secrets;
  #connectTokenSecret: Promise<Uint8Array<ArrayBuffer>> | undefined;

  constructor({ orm }: Database, secrets: Secrets) {
    this.#orm = orm;
    this.#secrets = secrets;
  }

  /**
   * Returns the 32 bytes that sign connect tokens. The first server of a grid generates them.
   *
   * Read from the database once; after a failure the next call reads again.
   *
   * @throws {GridError} `encryption_key_mismatch`.
   */
  readConnectTokenSecret(): Promise<Uint8Array<ArrayBuffer>> {
    this.#connectTokenSecret ??= this.#read(CONNECT_TOKENS).catch((error) => {
      this.#connectTokenSecret = undefined;
      throw error;
    });
    return this.#connectTokenSecret;
  }

  /**
   * Encrypts the secrets that are not encrypted with the current key. Returns the number of secrets that were plain
   * text.
   */
  async encryptAll(): Promise<number> {
    const secrets = this.#secrets;
    const rows = await this.#orm.select().from(gridSecrets).where(
      notLike(gridSecrets.value, await secrets.currentPattern()),
    );
    for (const { name, value } of rows) {
      const position = toSecretPosition(name);
      const text = isSealed(value)
        ? await secrets.open(value, position)
        : value;
      await this.#orm.update(gridSecrets).set({
        value: await secrets.sealUnchecked(text, position),
      }).where(and(eq(gridSecrets.name, name), eq(gridSecrets.value, value)));
    }
    return rows.filter(({ value }) => !isSealed(value)).length;
  }

  async #read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const position = toSecretPosition(name);
    const generated = crypto.getRandomValues(new Uint8Array(32)).toHex();
    const sealed = await this.#secrets.sealUnchecked(generated, position);
    const stored = await this.#readOrInsert(name, sealed);
    // A secret from before encryption is encrypted at the next start.
    const isPlain = !isSealed(stored);
    return Uint8Array.fromHex(
      isPlain ? stored : await this.#secrets.open(stored, position),
    );
  }

  /** Returns the stored value. Inserts `value` if there is none. At most two round trips. */
  async #readOrInsert(name: string, value: string): Promise<string> {
    const find = () =>
      this.#orm.select().from(gridSecrets).where(eq(gridSecrets.name, name));
    // Read first, because a server also starts while the database is read-only.
    const [existing] = await find();
    if (existing) return existing.value;
    const { found: [stored] } = await batchNamed(this.#orm, {
      inserted: this.#orm.insert(gridSecrets).values({ name, value })
        .onConflictDoNothing(),
      found: find(),
    });
    return stored?.value ?? value;
  }
}

function toSecretPosition(name: string): SecretPosition {
  return ["grid_secrets", "value", name];
}
