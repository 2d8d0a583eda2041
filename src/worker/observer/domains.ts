/** A command without an id. */
export interface Command {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** Domains whose events need no command in each target. */
const WITHOUT_COMMAND: ReadonlySet<string> = new Set(["Target", "Browser"]);

/**
 * Events under the names of the events that the observer receives instead. `Browser.setDownloadBehavior`, which would
 * enable those of downloads, would also change where the downloads of clients go.
 */
const RECEIVED_AS: Readonly<Record<string, string>> = {
  "Browser.downloadWillBegin": "Page.downloadWillBegin",
  "Browser.downloadProgress": "Page.downloadProgress",
};

/** Parameters of the commands that enable domains. Without buffers, the browser stores no bodies for the observer. */
const ENABLE_PARAMS: Readonly<Record<string, Command["params"]>> = {
  Network: { maxTotalBufferSize: 0, maxResourceBufferSize: 0 },
};

/** Commands that single events need in addition. */
const EXTRA_COMMANDS: Readonly<Record<string, Command>> = {
  "Page.lifecycleEvent": {
    method: "Page.setLifecycleEventsEnabled",
    params: { enabled: true },
  },
};

/** Returns the name under which the observer receives an event. */
export function toReceivedName(event: string): string {
  return RECEIVED_AS[event] ?? event;
}

/** Returns the domain of an event. */
export function toDomain(event: string): string {
  return event.split(".")[0] ?? "";
}

/** Returns the domains that must be enabled in each target for events of these received names. */
export function listDomains(events: Iterable<string>): ReadonlySet<string> {
  const domains = [...events].map(toDomain);
  return new Set(domains.filter((domain) => !WITHOUT_COMMAND.has(domain)));
}

/** Returns the commands that enable a domain in a target, for events of these received names. */
export function enableDomain(
  domain: string,
  events: Iterable<string>,
): readonly Command[] {
  const params = ENABLE_PARAMS[domain];
  const extra = [...events].flatMap((event) =>
    toDomain(event) === domain ? EXTRA_COMMANDS[event] ?? [] : []
  );
  return [
    { method: `${domain}.enable`, ...(params ? { params } : {}) },
    ...extra,
  ];
}
