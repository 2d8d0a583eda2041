import { uuidv7 } from "uuidv7";
import type { Core } from "../../core/app.ts";
import {
  BOOTSTRAP,
  type Caller,
  isAnonymous,
  isSelf,
  type KeyFault,
} from "../../core/caller.ts";
import { GridError } from "../../core/errors.ts";
import { hashText, newKey, parseKeyPrefix } from "../../core/redact.ts";
import { type KeyRow, toCaller } from "./key.ts";
import type { KeyCache } from "./key_cache.ts";
import type { CallerWire } from "./schemas.ts";
import { SignInStore } from "./store/sign_ins.ts";

/** Lifetime of a sign-in. */
const LIFETIME_MS = 12 * 3_600_000;

type ProofCore = Pick<Core, "secrets" | "settings">;

/** A new sign-in. */
export interface SignIn {
  /** Key for the cookie. */
  readonly key: string;
  readonly caller: Caller;
  readonly lifetimeSeconds: number;
}

/**
 * Sign-ins of people at pages of this server. A sign-in is a key of its own, which only a cookie contains, with the rights
 * of the key that signed in: it ends with that key, after 12 hours, or when the person signs out.
 */
export class SignIns {
  readonly #core: Pick<Core, "auth" | "clock" | "secrets" | "settings">;
  readonly #store: SignInStore;
  readonly #cache: Pick<KeyCache, "clear">;

  constructor(
    core: Pick<Core, "auth" | "clock" | "db" | "secrets" | "settings">,
    cache: Pick<KeyCache, "clear">,
  ) {
    this.#core = core;
    this.#store = new SignInStore(core.db);
    this.#cache = cache;
  }

  /**
   * Signs in with a key of an admin or client.
   *
   * @throws {GridError} `unauthorized` - the key is not valid; `forbidden` - it has another role.
   */
  async signIn(key: string): Promise<SignIn> {
    const owner = await this.#authenticate(key);
    const cookieKey = newKey();
    const now = this.#core.clock.now();
    const row = await this.#store.insert({
      id: uuidv7(),
      name: owner.name,
      prefix: parseKeyPrefix(cookieKey) ?? "",
      hash: await hashText(cookieKey),
      role: owner.role,
      workPoolId: owner.workPoolId ?? null,
      maxSessions: null,
      maxQueue: null,
      maxPriority: owner.maxPriority ?? null,
      createdAt: now,
      expiresAt: now + LIFETIME_MS,
      lastUsedAt: null,
      revokedAt: null,
      signedInFor: owner.id,
      signedInProof: owner.id === BOOTSTRAP.id
        ? await proveApiKey(this.#core)
        : null,
    });
    if (!row) throw wrongKey("revoked");
    const caller = toCaller(row);
    const lifetimeMs = (caller.signedInUntil ?? now) - now;
    return { key: cookieKey, caller, lifetimeSeconds: lifetimeMs / 1_000 };
  }

  /**
   * Ends the sign-in with `key`, or all sign-ins of its key. This server rejects them at once, other servers within
   * 10 s.
   */
  async signOut(
    { key, everywhere }: {
      readonly key: string;
      readonly everywhere: boolean;
    },
  ): Promise<void> {
    // Not the caller: a request may have a key in a header too.
    const found = await this.#core.auth.authenticate(key);
    const isSignedIn = typeof found === "object" &&
      found.signedInUntil !== undefined;
    if (!isSignedIn) return;
    await this.#store.remove(
      everywhere
        ? { signedInFor: found.id }
        : { prefix: parseKeyPrefix(key) ?? "" },
    );
    this.#cache.clear();
  }

  /** Renders a caller for responses. */
  async renderCaller(caller: Caller): Promise<CallerWire> {
    const { id, name, role, workPoolId, signedInUntil } = caller;
    return {
      id,
      name,
      role,
      work_pool_id: workPoolId ?? null,
      key_required: await this.#core.auth.hasKey(),
      signed_in: signedInUntil !== undefined,
      expires_at: signedInUntil === undefined
        ? null
        : new Date(signedInUntil).toISOString(),
    };
  }

  async #authenticate(key: string): Promise<Caller> {
    const found = await this.#core.auth.authenticate(key);
    if (typeof found !== "object") throw wrongKey(found);
    const isKey = !isAnonymous(found) && !isSelf(found) &&
      found.signedInUntil === undefined;
    if (!isKey) throw wrongKey("wrong");
    if (found.role === "admin" || found.role === "client") return found;
    throw new GridError(
      "forbidden",
      `Cannot sign in: the key's role is ${found.role}, expected admin or client`,
      { role: found.role },
    );
  }
}

/** Reports whether a stored key is valid as far as it depends on the setting `api_key`. */
export async function isCurrentKey(
  core: ProofCore,
  { signedInFor, signedInProof }: KeyRow,
): Promise<boolean> {
  return signedInFor !== BOOTSTRAP.id ||
    signedInProof !== null && signedInProof === await proveApiKey(core);
}

/** Returns a keyed hash of the setting `api_key`. */
async function proveApiKey(
  { secrets, settings }: ProofCore,
): Promise<string | null> {
  return settings.api_key === undefined
    ? null
    : await secrets.fingerprint(settings.api_key);
}

function wrongKey(fault: KeyFault): GridError {
  return new GridError(
    "unauthorized",
    `Cannot sign in: the key is ${fault}, expected a valid key of an admin or client`,
  );
}
