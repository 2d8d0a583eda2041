/**
 * Short-lived keys to one session, `ct_<expiry>_<mac>`: what stands in a `connect_url`. Nothing is stored for them, and no
 * round trip is needed to check one.
 */
export interface ConnectTokens {
  /** A token for a session. @param lifetimeMs By default as the settings say. */
  issue(sessionId: string, lifetimeMs?: number): Promise<string>;
  /** Whether it is for that session, and not over. */
  isValid(token: string, sessionId: string): Promise<boolean>;
}

/** What a caller may do: `admin` everything, `client` sessions of its own, `worker` what a worker calls. */
export const ROLES = ["admin", "client", "worker"] as const;

export type Role = (typeof ROLES)[number];

/** Who a request comes from. */
export interface Caller {
  /** Unique to its key: `anonymous`, `bootstrap`, `self`, `replica`, the key's id, or `connect:` and a connect token's session. What it makes is its own by this. */
  readonly id: string;
  /** For logs: the id, or the prefix of a key. Never the key. */
  readonly name: string;
  readonly role: Role;
  /** The only work pool that it may use. */
  readonly workPoolId?: string | undefined;
  /** Highest priority that sessions of the key may request. */
  readonly maxPriority?: number | undefined;
  /** Of a connect token: the only session that it is good for. */
  readonly sessionId?: string | undefined;
}

/** Why a key proves nobody. */
export type KeyFault = "missing" | "wrong" | "expired" | "revoked";

/** Keys that are kept elsewhere: the keys app's database. */
export interface KeySource {
  /** The caller that a key of the form of {@linkcode newKey} proves. */
  find(key: string): Promise<Caller | KeyFault>;
  /** Whether there is a key for an admin: from then on everybody needs one. */
  hasAdmin(): Promise<boolean>;
  /** 32 bytes that are the same on every server. */
  secret(): Promise<Uint8Array<ArrayBuffer>>;
}

/** Finds out who a request comes from. */
export interface Auth {
  /** Whether a key is set, or an admin's is in the database. */
  hasKey(): Promise<boolean>;
  /** The caller that `key` proves, or why it proves none. */
  authenticate(key: string | undefined): Promise<Caller | KeyFault>;
  readonly connectTokens: ConnectTokens;
  /** By which the program calls its own server. Known to this process only. */
  readonly selfKey: string;
  /** Has keys found in `source`, too. */
  setKeySource(source: KeySource): void;
}

/** Who everybody is where no key is needed. */
export const ANONYMOUS: Caller = {
  id: "anonymous",
  name: "anonymous",
  role: "admin",
};

/** Whether `caller` is whoever comes where no key is needed. */
export function isAnonymous({ id }: Pick<Caller, "id">): boolean {
  return id === ANONYMOUS.id;
}

/** Reports whether `caller` is the program itself, which calls its own server. */
export function isSelf({ id }: Pick<Caller, "id">): boolean {
  return id === SELF.id;
}

export const BOOTSTRAP: Caller = {
  id: "bootstrap",
  name: "bootstrap",
  role: "admin",
};

export const SELF: Caller = { id: "self", name: "self", role: "admin" };

/** Ids of the admin callers that have no key in the database. */
export const BUILT_IN_ADMINS: readonly string[] = [
  ANONYMOUS,
  BOOTSTRAP,
  SELF,
].map(({ id }) => id);

/** Another server of the grid, which hands a worker's stream on. */
export const REPLICA: Caller = {
  id: "replica",
  name: "replica",
  role: "worker",
};

/** Whether `caller` is an admin or has one of `roles`. */
export function hasRole(
  { role }: Pick<Caller, "role">,
  roles: readonly Role[],
): boolean {
  return role === "admin" || roles.includes(role);
}
