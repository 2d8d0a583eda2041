import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";
import { settleWithin } from "../../../async/settle_within.ts";
import type {
  BrowserExit,
  FollowOptions,
  OutputPart,
  RunningBrowser,
} from "../../../core/provider.ts";
import { waitForHangUp } from "../../kit/cdp_socket.ts";
import { probeBrowser } from "../../kit/probe_browser.ts";
import type { ContainerGroups } from "../arm/container_groups.ts";
import { CONTAINER } from "../group/body.ts";
import type { GroupReaper } from "../group/reaper.ts";
import { watchExit } from "./exit.ts";
import { followLogs } from "./follow_logs.ts";

/** Maximum wait of a stop for the removal of its group. */
const REMOVE_WAIT_MS = 55_000;

/** Interval at which a stop checks for a call with a shorter grace period. */
const POLL_INTERVAL_MS = 100;

/** Timeout of a request for output, because the end of a session waits for it. */
const LOGS_TIMEOUT_MS = 5_000;

/** Options of {@linkcode GroupBrowser}. */
export interface GroupBrowserParts {
  readonly sessionId: string;
  /** Name of its container group. */
  readonly name: string;
  readonly endpoint: URL;
  readonly details: Readonly<Record<string, string>>;
  readonly groups: ContainerGroups;
  /** The host's reaper, which removes the group. */
  readonly reaper: GroupReaper;
  /** Ends the watching of the group, which continues to run. */
  readonly closed: AbortSignal;
}

/** A browser in a container group. */
export class GroupBrowser implements RunningBrowser {
  readonly sessionId: string;
  readonly endpoint: URL;
  readonly details: Readonly<Record<string, string>>;
  readonly exited: Promise<BrowserExit>;
  readonly #name: string;
  readonly #groups: ContainerGroups;
  readonly #reaper: GroupReaper;
  #killAt = Infinity;
  #stopping: Promise<void> | undefined;
  #isRemoved = false;

  constructor(parts: GroupBrowserParts) {
    this.sessionId = parts.sessionId;
    this.endpoint = parts.endpoint;
    this.details = parts.details;
    this.#name = parts.name;
    this.#groups = parts.groups;
    this.#reaper = parts.reaper;
    this.exited = watchExit(parts.groups, {
      name: parts.name,
      endpoint: parts.endpoint,
      wasStopped: () => this.#killAt !== Infinity,
    }, parts.closed);
  }

  /** Ends the browser. A later call can shorten the grace period. */
  stop(graceMs: number): Promise<void> {
    this.#killAt = Math.min(this.#killAt, systemClock.monotonic() + graceMs);
    // The next call retries a failed removal.
    this.#stopping ??= this.#stop().catch((error) => {
      this.#stopping = undefined;
      throw error;
    });
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await this.#close();
    await this.#reaper.remove(this.#name, REMOVE_WAIT_MS);
    this.#isRemoved = true;
  }

  /** Asks the browser to close, so that it writes its data, until the grace period is over. */
  async #close(): Promise<void> {
    if (this.#graceLeftMs() <= 0) return;
    const end = new AbortController();
    const message = JSON.stringify({ id: 1, method: "Browser.close" });
    let isClosed = false;
    const closing = waitForHangUp(this, { signal: end.signal, message })
      .finally(() => isClosed = true);
    while (!isClosed && this.#graceLeftMs() > 0) {
      const ms = Math.min(POLL_INTERVAL_MS, this.#graceLeftMs());
      await settleWithin(closing, ms);
    }
    end.abort();
  }

  #graceLeftMs(): number {
    return this.#killAt - systemClock.monotonic();
  }

  async probe(signal: AbortSignal): Promise<void> {
    // Another group may have its address by now.
    if (this.#isRemoved) throw new Error("its container group was removed");
    await probeBrowser(this, signal);
  }

  async logs(lines: number): Promise<string> {
    using timeout = deadline(systemClock, LOGS_TIMEOUT_MS);
    return await this.#readLogs(lines, timeout.signal);
  }

  followLogs(options: FollowOptions): AsyncGenerator<OutputPart, void> {
    return followLogs({
      read: (lines, signal) => this.#readLogs(lines, signal),
      ended: this.exited,
    }, options);
  }

  #readLogs(lines: number, signal: AbortSignal): Promise<string> {
    return this.#groups.readLogs(
      { name: this.#name, container: CONTAINER, lines },
      signal,
    );
  }
}
