import { allSettled } from "../../../async/all_settled.ts";
import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";
import { settleWithin } from "../../../async/settle_within.ts";
import type { BrowserSpec } from "../../../core/browser_spec.ts";
import { toMessage } from "../../../core/log.ts";
import type {
  BrowserHost,
  CheckResult,
  HostInfo,
  RunningBrowser,
} from "../../../core/provider.ts";
import { type CdpReady, waitForCdp } from "../../kit/wait_for_cdp.ts";
import { IMAGE_CDP_PORT } from "../../kit/browser_image.ts";
import {
  type ContainerGroups,
  openContainerGroups,
} from "../arm/container_groups.ts";
import type { ContainerGroup } from "../arm/schemas.ts";
import { checkAzure } from "../check/check.ts";
import { pingAzure } from "../check/ping.ts";
import type { AzureConfig } from "../config.ts";
import { createSessionGroupName } from "../group/group_name.ts";
import { resolveSessionImage } from "../group/images.ts";
import { GroupReaper } from "../group/reaper.ts";
import { readGroupState } from "../group/state.ts";
import { CREATED_TAG, SESSION_TAG, workerTags } from "../group/tags.ts";
import { findUnsupportedWish } from "../unsupported.ts";
import { GroupBrowser } from "./browser.ts";
import { createSessionBody } from "./plan.ts";
import { startGroup } from "./start.ts";

/** Maximum wait of the disposal for pending requests. */
const CLOSE_WAIT_MS = 10_000;

/** Maximum wait of a sweep for the removal of one group, which continues in the background. */
const SWEEP_WAIT_MS = 30_000;

/** Time limit of a list. */
const LIST_MS = 60_000;

/** Timeout of the first response of an adopted browser, which has been running for a while. */
const ADOPT_TIMEOUT_MS = 10_000;

/** Timeout of one request to it: a machine on which a worker starts is often busy. */
const RESPONSE_TIMEOUT_MS = 5_000;

/** Opens a host. Sends no request to Azure. */
export function openAzureHost(
  config: AzureConfig,
  info: HostInfo,
): BrowserHost {
  return new AzureHost(config, info, openContainerGroups(config));
}

/** A host that runs each browser in a container group. */
class AzureHost implements BrowserHost {
  readonly #config: AzureConfig;
  readonly #info: HostInfo;
  readonly #groups: ContainerGroups;
  /** Aborted on disposal: ends the watching of groups. */
  readonly #closed = new AbortController();
  /** Aborted at the end of the disposal: ends removals and pending creations. */
  readonly #abandoned = new AbortController();
  readonly #reaper: GroupReaper;

  constructor(config: AzureConfig, info: HostInfo, groups: ContainerGroups) {
    this.#config = config;
    this.#info = info;
    this.#groups = groups;
    this.#reaper = new GroupReaper(groups, this.#abandoned.signal);
  }

  check(): Promise<readonly CheckResult[]> {
    return checkAzure(this.#groups.arm, this.#config);
  }

  ping(signal: AbortSignal): Promise<void> {
    return pingAzure(this.#groups.arm, this.#config, signal);
  }

  /** Returns the name of the image: only the registry knows whether a tag has moved. */
  revision(spec: BrowserSpec): Promise<string> {
    return Promise.resolve(resolveSessionImage(this.#config, spec));
  }

  async start(
    spec: BrowserSpec,
    sessionId: string,
    signal: AbortSignal,
  ): Promise<RunningBrowser> {
    signal.throwIfAborted();
    this.#rejectWorkerUnit();
    const wish = { proxy: spec.proxy, egress: spec.egress.mode };
    const problem = findUnsupportedWish(wish, this.#config);
    if (problem !== undefined) {
      throw new Error(`Cannot start a browser in Azure: ${problem}`);
    }
    await this.#removeEarlier(sessionId, signal);
    const name = createSessionGroupName(sessionId);
    const ready = await startGroup(this.#groups, {
      name,
      body: createSessionBody(spec, this.#config, this.#info, sessionId),
      timeoutMs: this.#config.start_timeout_seconds * 1_000,
      signal,
      reaper: this.#reaper,
      abandoned: this.#abandoned.signal,
    });
    const image = resolveSessionImage(this.#config, spec);
    return this.#browser(ready, { sessionId, name, image });
  }

  /** Workers of a pool with unit worker run in groups and start local browsers. */
  #rejectWorkerUnit(): void {
    if (this.#config.unit === "session") return;
    throw new Error(
      'Cannot start a browser in Azure from this worker: the pool has unit "worker", whose workers the server starts in container groups, expected unit "session", or no worker of your own',
    );
  }

  /** Removes groups of the session that a killed process has left. No sweep does while the session is held again. */
  async #removeEarlier(
    sessionId: string,
    signal: AbortSignal,
  ): Promise<void> {
    const groups = await this.#list(signal);
    await allSettled(
      groups.filter((group) => readSessionId(group) === sessionId),
      ({ name }) => this.#reaper.remove(name, SWEEP_WAIT_MS),
    );
  }

  async adopt(): Promise<readonly RunningBrowser[]> {
    if (this.#config.unit === "worker") return [];
    const listed = await this.#list(this.#closed.signal);
    const groups = await this.#groups.findAll(
      listed.map(({ name }) => name),
      this.#closed.signal,
    );
    const newestFirst = groups.toSorted((a, b) =>
      readCreatedAt(b) - readCreatedAt(a)
    );
    const found = await Promise.all(
      newestFirst.map((group) => this.#attach(group)),
    );
    const adopted = new Map<string, RunningBrowser>();
    for (const browser of found) {
      if (!browser) continue;
      const { sessionId, details: { container_group: name = "" } } = browser;
      // An earlier process died before it removed the older group.
      if (adopted.has(sessionId)) {
        void this.#reaper.remove(name, SWEEP_WAIT_MS).catch(() => {});
      } else adopted.set(sessionId, browser);
    }
    return [...adopted.values()];
  }

  /** Returns the browser of a group; undefined if it has ended or does not respond. */
  async #attach(group: ContainerGroup): Promise<RunningBrowser | undefined> {
    const state = readGroupState(group);
    if (state.phase !== "running" || state.ip === undefined) return undefined;
    const address = new URL(`http://${state.ip}:${IMAGE_CDP_PORT}`);
    const ready = await waitForCdp(address, {
      timeoutMs: ADOPT_TIMEOUT_MS,
      responseTimeoutMs: RESPONSE_TIMEOUT_MS,
      signal: this.#closed.signal,
    }).catch(() => undefined);
    const [container] = group.properties.containers;
    return ready && this.#browser(ready, {
      sessionId: readSessionId(group),
      name: group.name,
      image: container?.properties.image ?? "",
    });
  }

  async sweep(keep: ReadonlySet<string>): Promise<readonly string[]> {
    if (this.#config.unit === "worker") return [];
    const groups = await this.#list(this.#closed.signal);
    const swept = groups.filter((group) => !keep.has(readSessionId(group)));
    await allSettled(
      swept,
      ({ name }) => this.#reaper.remove(name, SWEEP_WAIT_MS),
    );
    return swept.map(readSessionId);
  }

  /** Lists the groups of this worker in this grid. */
  async #list(signal: AbortSignal): Promise<readonly ContainerGroup[]> {
    using timeout = deadline(systemClock, LIST_MS, signal);
    try {
      const tags = workerTags(this.#info);
      return (await this.#groups.list(tags, timeout.signal))
        .filter((group) =>
          readSessionId(group) !== "" && !this.#reaper.hasRemoved(group.name)
        );
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      throw new Error(
        `Cannot list this worker's container groups: ${toMessage(cause)}`,
        { cause },
      );
    }
  }

  /** Leaves the groups running, so that the worker's next process can adopt them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new Error("The host of Azure was closed"));
    await settleWithin(this.#reaper.idle(), CLOSE_WAIT_MS);
    this.#abandoned.abort(new Error("The host of Azure was closed"));
    await this.#reaper.idle();
  }

  #browser(
    { endpoint, product }: CdpReady,
    { sessionId, name, image }: {
      readonly sessionId: string;
      readonly name: string;
      readonly image: string;
    },
  ): GroupBrowser {
    return new GroupBrowser({
      sessionId,
      name,
      endpoint,
      details: {
        container_group: name,
        location: this.#config.location,
        image,
        browser_version: product,
      },
      groups: this.#groups,
      reaper: this.#reaper,
      closed: this.#closed.signal,
    });
  }
}

function readSessionId({ tags }: ContainerGroup): string {
  return tags?.[SESSION_TAG] ?? "";
}

function readCreatedAt({ tags }: ContainerGroup): number {
  return Number(tags?.[CREATED_TAG] ?? 0);
}
