/** The warm browsers of a host by the made-up session ids that the host knows them by. */
export interface WarmIds {
  /** Browsers without a session. */
  readonly unassigned: ReadonlySet<string>;
  /** Session of each browser that was handed over. */
  readonly sessions: ReadonlyMap<string, string>;
}

/**
 * The session ids, as the host knows them, of the browsers that a sweep must keep. A live view, like the held sessions
 * it derives from.
 */
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
    // A browser whose session was handed another one since is not needed.
    return this.#held.has(id) && !new Set(sessions.values()).has(id);
  }

  override get size(): number {
    return this.#list().length;
  }

  override [Symbol.iterator](): SetIterator<string> {
    return this.#list()[Symbol.iterator]();
  }

  override keys(): SetIterator<string> {
    return this[Symbol.iterator]();
  }

  override values(): SetIterator<string> {
    return this[Symbol.iterator]();
  }

  override entries(): SetIterator<[string, string]> {
    return this.#list().map((id): [string, string] => [id, id])[
      Symbol.iterator
    ]();
  }

  override forEach(
    visit: (id: string, again: string, ids: Set<string>) => void,
  ): void {
    for (const id of this.#list()) visit(id, id, this);
  }

  #list(): readonly string[] {
    const { unassigned, sessions } = this.#warm;
    const all = new Set([...unassigned, ...sessions.keys(), ...this.#held]);
    return [...all].filter((id) => this.has(id));
  }
}
