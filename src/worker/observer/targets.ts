import { z } from "zod";
import {
  type Command,
  enableDomain,
  listDomains,
  toDomain,
} from "./domains.ts";
import type { EventTarget } from "./filters.ts";

/** Maximum number of targets that are observed at the same time. */
const MAX_TARGETS = 500;

/** Maximum length of the URL of a target. */
const MAX_URL = 2_000;

const AUTO_ATTACH: Command = {
  method: "Target.setAutoAttach",
  params: { autoAttach: true, waitForDebuggerOnStart: false, flatten: true },
};

const infoSchema = z.object({
  targetId: z.string(),
  type: z.string(),
  url: z.string(),
}).transform(({ targetId, type, url }) => ({
  id: cut(targetId, 100),
  type: cut(type, 100),
  url: cut(url, MAX_URL),
}));

const attachedSchema = z.object({
  sessionId: z.string(),
  targetInfo: infoSchema,
});

const detachedSchema = z.object({ sessionId: z.string() });

const changedSchema = z.object({ targetInfo: infoSchema });

/** An attached target. Events of domains that are being enabled happened before, and are ignored. */
interface Attached {
  target: EventTarget;
  /** True if the target existed before the observer. */
  readonly isOld: boolean;
  /** True until the targets that existed before the observer are attached. */
  isAttaching: boolean;
  readonly enabling: Set<string>;
}

/** A command in flight. */
interface Pending {
  readonly sessionId: string | undefined;
  /** Domain that it enables; undefined if it attaches targets. */
  readonly domain?: string | undefined;
}

/** Options of {@linkcode Targets}. */
export interface TargetsOptions {
  readonly send: (command: object) => void;
  /** Received names of the events to enable. */
  readonly events: ReadonlySet<string>;
  /** Called when the domains are enabled in the targets so far; also after each later one. */
  readonly onReady: () => void;
}

/** The target of events of the browser itself. */
const BROWSER: EventTarget = { id: "", type: "browser", url: "" };

/** The targets of a browser that one connection is attached to, and the domains that are enabled in them. */
export class Targets {
  readonly #send: (command: object) => void;
  readonly #attached = new Map<string | undefined, Attached>();
  readonly #pending = new Map<number, Pending>();
  #events: ReadonlySet<string>;
  readonly #onReady: () => void;
  #domains: ReadonlySet<string>;
  #id = 0;

  constructor({ send, events, onReady }: TargetsOptions) {
    this.#send = send;
    this.#onReady = onReady;
    this.#events = events;
    this.#domains = listDomains(events);
  }

  /** Attaches to all targets, and to new ones when they appear. */
  start(): void {
    this.#attach(undefined, { target: BROWSER, isOld: true });
    this.#call({
      method: "Target.setDiscoverTargets",
      params: { discover: true },
    });
  }

  /** Replaces the events, and enables and disables domains accordingly. */
  setEvents(events: ReadonlySet<string>): void {
    const before = this.#domains;
    this.#events = events;
    this.#domains = listDomains(events);
    const added = this.#domains.difference(before);
    const removed = before.difference(this.#domains);
    for (const [sessionId, { enabling }] of this.#attached) {
      if (sessionId === undefined) continue;
      for (const domain of added) {
        enabling.add(domain);
        this.#enable(domain, sessionId);
      }
      for (const domain of removed) {
        this.#call({ method: `${domain}.disable` }, sessionId);
      }
    }
  }

  /** Returns the target of an event; undefined if the event is ignored. */
  find(
    sessionId: string | undefined,
    event: string,
  ): EventTarget | undefined {
    const attached = this.#attached.get(sessionId);
    return attached?.enabling.has(toDomain(event))
      ? undefined
      : attached?.target;
  }

  /** Handles an event of the domain Target. */
  receive(
    method: string,
    params: unknown,
    parent: string | undefined,
  ): void {
    switch (method) {
      case "Target.attachedToTarget": {
        const { sessionId, targetInfo } = attachedSchema.parse(params);
        const { isOld, isAttaching } = this.#attached.get(parent) ?? {};
        if (this.#attached.size > MAX_TARGETS) return;
        this.#attach(sessionId, {
          target: targetInfo,
          isOld: Boolean(isOld && isAttaching),
        });
        return;
      }
      case "Target.detachedFromTarget":
        this.#detach(detachedSchema.parse(params).sessionId);
        return;
      case "Target.targetInfoChanged": {
        const { targetInfo } = changedSchema.parse(params);
        for (const each of this.#attached.values()) {
          if (each.target.id === targetInfo.id) each.target = targetInfo;
        }
      }
    }
  }

  /** Handles the response to a command. */
  receiveResponse(id: number): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    const attached = this.#attached.get(pending.sessionId);
    if (pending.domain !== undefined) attached?.enabling.delete(pending.domain);
    else if (attached) attached.isAttaching = false;
    if (this.#pending.size === 0) this.#onReady();
  }

  #attach(
    sessionId: string | undefined,
    { target, isOld }: Pick<Attached, "target" | "isOld">,
  ): void {
    const enabling = new Set(isOld ? this.#domains : []);
    this.#attached.set(sessionId, {
      target,
      isOld,
      isAttaching: true,
      enabling: sessionId === undefined ? new Set() : enabling,
    });
    this.#call(AUTO_ATTACH, sessionId, {});
    if (sessionId === undefined) return;
    for (const domain of this.#domains) this.#enable(domain, sessionId);
  }

  #detach(sessionId: string): void {
    this.#attached.delete(sessionId);
    for (const [id, pending] of this.#pending) {
      if (pending.sessionId === sessionId) this.#pending.delete(id);
    }
  }

  #enable(domain: string, sessionId: string): void {
    const [first, ...rest] = enableDomain(domain, this.#events);
    if (first) this.#call(first, sessionId, { domain });
    for (const command of rest) this.#call(command, sessionId);
  }

  /** @param awaited Set if the response to the command matters. */
  #call(
    command: Command,
    sessionId?: string,
    awaited?: Pick<Pending, "domain">,
  ): void {
    const id = ++this.#id;
    if (awaited) this.#pending.set(id, { sessionId, ...awaited });
    this.#send({
      id,
      ...command,
      ...(sessionId === undefined ? {} : { sessionId }),
    });
  }
}

/** Returns the target of the information in an event; undefined if it is none. */
export function toTarget(info: unknown): EventTarget | undefined {
  return info === undefined ? undefined : infoSchema.safeParse(info).data;
}

function cut(text: string, length: number): string {
  return text.slice(0, length).replaceAll("\0", "").toWellFormed();
}
