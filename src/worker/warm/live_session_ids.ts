/** What of a host's browsers is in use besides those of sessions that they were started for. */
export interface WarmIds {
  /** Those that no session has yet. */
  readonly unassigned: ReadonlySet<string>;
  /** The session of each that was handed over. */
  readonly sessions: ReadonlyMap<string, string>;
}

/** The ids under which a host knows the browsers that are to be kept: a live view, as that of the sessions is. */
export class LiveSessionIds extends Set<string> {
  readonly #held: ReadonlySet<string>;
  readonly #warm: WarmIds;

  constructor(held: ReadonlySet<string>, warm: WarmIds) {
    super();
    this.#held = held;
    this.#warm = warm;
  }

  override has(id: string): boolean {
    const { unassigned, sessions } = this.#warm;
    if (unassigned.has(id)) return true;
    const session = sessions.get(id);
    if (session !== undefined) return this.#held.has(session);
    // What was started for a session that has been handed another one since is left over.
    return this.#held.has(id) && !new Set(sessions.values()).has(id);
  }

  override get size(): number {
    return this.#ids().length;
  }

  override [Symbol.iterator](): SetIterator<string> {
    return this.#ids()[Symbol.iterator]();
  }

  override keys(): SetIterator<string> {
    return this[Symbol.iterator]();
  }

  override values(): SetIterator<string> {
    return this[Symbol.iterator]();
  }

  override entries(): SetIterator<[string, string]> {
    return this.#ids().map((id): [string, string] => [id, id])[
      Symbol.iterator
    ]();
  }

  override forEach(
    told: (id: string, again: string, ids: Set<string>) => void,
  ): void {
    for (const id of this.#ids()) told(id, id, this);
  }

  #ids(): readonly string[] {
    const { unassigned, sessions } = this.#warm;
    const named = [...sessions.keys()];
    return [...new Set([...unassigned, ...named, ...this.#held])].filter((id) =>
      this.has(id)
    );
  }
}
