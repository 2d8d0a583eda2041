/**
 * Short-lived keys to one session, `ct_<expiry>_<mac>`, which a `connect_url` contains. They are not stored, and
 * validation needs no round trip.
 */
export interface ConnectTokens {
  /** Issues a token for a session. @param lifetimeMs By default the setting `connect_token_seconds`. */
  issue(sessionId: string, lifetimeMs?: number): Promise<string>;
  /** Reports whether a token is for the session and has not expired. */
  isValid(token: string, sessionId: string): Promise<boolean>;
}

/**
 * Roles of callers: `admin` may do everything, `client` may use its own sessions, `worker` may call worker endpoints,
 * `metrics` may read the metrics.
 */
export const ROLES = ["admin", "client", "worker", "metrics"] as const;

/** Role of a caller. */
export type Role = (typeof ROLES)[number];

/** The caller of a request. */
export interface Caller {
  /**
   * Unique to its key: `anonymous`, `bootstrap`, `self`, `replica`, the key's id, or `connect:` and the session of a
   * connect token. Owner of the sessions that it creates.
   */
  readonly id: string;
  /** Name in logs: the id, or the prefix of a key. Never the key. */
  readonly name: string;
  readonly role: Role;
  /** The only work pool that it may use; undefined means any. */
  readonly workPoolId?: string | undefined;
  /** Highest priority that sessions of the key may request. */
  readonly maxPriority?: number | undefined;
  /** The only session that a connect token is valid for. */
  readonly sessionId?: string | undefined;
  /** Time at which the sign-in ends, for a person who has signed in with a key. Its id is the one of that key. */
  readonly signedInUntil?: number | undefined;
}

/** Reason why a key identifies no caller. */
export type KeyFault = "missing" | "wrong" | "expired" | "revoked";

/** A source of stored keys, such as the keys app. */
export interface KeySource {
  /** Returns the caller of a key of the form of {@linkcode newKey}. */
  find(key: string): Promise<Caller | KeyFault>;
  /** Reports whether there is an admin key. From then on every request needs a key. */
  hasAdmin(): Promise<boolean>;
  /** Returns 32 bytes that are the same on every server. */
  secret(): Promise<Uint8Array<ArrayBuffer>>;
}

/** Determines the callers of requests. */
export interface Auth {
  /** Reports whether an API key is set, or an admin key is in the database. */
  hasKey(): Promise<boolean>;
  /** Returns the caller of `key`, or the reason why it has none. */
  authenticate(key: string | undefined): Promise<Caller | KeyFault>;
  readonly connectTokens: ConnectTokens;
  /** Key with which the program calls its own server. It exists only in this process. */
  readonly selfKey: string;
  /** Sets the source of stored keys. */
  setKeySource(source: KeySource): void;
}

/** The caller of requests without a key, if no key is needed. */
export const ANONYMOUS: Caller = {
  id: "anonymous",
  name: "anonymous",
  role: "admin",
};

/** Reports whether `caller` has shown no key because none is needed. */
export function isAnonymous({ id }: Pick<Caller, "id">): boolean {
  return id === ANONYMOUS.id;
}

/** Reports whether `caller` is the program itself, which calls its own server. */
export function isSelf({ id }: Pick<Caller, "id">): boolean {
  return id === SELF.id;
}

/** The caller with the key of the setting `api_key`. */
export const BOOTSTRAP: Caller = {
  id: "bootstrap",
  name: "bootstrap",
  role: "admin",
};

/** The caller of the program's requests to its own server. */
export const SELF: Caller = { id: "self", name: "self", role: "admin" };

/** Ids of the admin callers that have no key in the database. */
export const BUILT_IN_ADMINS: readonly string[] = [
  ANONYMOUS,
  BOOTSTRAP,
  SELF,
].map(({ id }) => id);

/** Another server of the grid, which forwards a worker's stream. */
export const REPLICA: Caller = {
  id: "replica",
  name: "replica",
  role: "worker",
};

/** Reports whether `caller` is an admin or has one of `roles`. */
export function hasRole(
  { role }: Pick<Caller, "role">,
  roles: readonly Role[],
): boolean {
  return role === "admin" || roles.includes(role);
}
