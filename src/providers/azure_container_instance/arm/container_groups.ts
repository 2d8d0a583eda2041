import { systemClock } from "../../../async/clock.ts";
import { Semaphore } from "../../../async/semaphore.ts";
import { toMessage } from "../../../core/log.ts";
import type { AzureConfig } from "../config.ts";
import type { GroupBody } from "../group/body.ts";
import {
  type ArmCall,
  ArmClient,
  type ArmResponse,
  parseResponse,
} from "./arm_client.ts";
import { ArmError } from "./arm_error.ts";
import { selectCredential } from "./credential.ts";
import {
  type ContainerGroup,
  containerGroupPageSchema,
  containerGroupSchema,
  logsSchema,
} from "./schemas.ts";
import type { ReadVariable } from "./sign_in.ts";
import { TokenSource } from "./token_source.ts";

/** Version of the API of container groups. */
export const GROUPS_VERSION = "2025-09-01";

/** Number of attempts of a creation whose response is lost. */
const CREATE_ATTEMPTS = 3;

/** Pause before its repetition if Azure asks for none: the first and the longest. */
const CREATE_PAUSE_MS = 500;
const MAX_CREATE_PAUSE_MS = 15_000;

/** Number of groups that are read at once. */
const MAX_READS = 8;

/** Default time within which a creation is repeated. */
const RETRY_WITHIN_MS = 60_000;

/** Rejections of a creation that are repeated without a check of the name, because they certainly have no effect. */
const RETRIED_CREATIONS: ReadonlySet<number> = new Set([429]);

/** Options of {@linkcode ContainerGroups.create}. */
export interface CreateOptions {
  readonly signal: AbortSignal;
  readonly retryWithinMs?: number | undefined;
}

/** A container group, and the pause before it is read again. */
export interface ReadGroup {
  readonly group: ContainerGroup;
  readonly retryAfterMs: number | undefined;
}

/** The result of the read of a group: the group, none if there is none of this name, or an error. */
export interface FoundGroup {
  readonly name: string;
  readonly group?: ContainerGroup | undefined;
  readonly error?: unknown;
}

/** The container groups of a resource group. */
export class ContainerGroups {
  readonly arm: ArmClient;
  readonly #path: string;

  constructor(
    arm: ArmClient,
    { subscription_id, resource_group }: Pick<
      AzureConfig,
      "subscription_id" | "resource_group"
    >,
  ) {
    this.arm = arm;
    this.#path =
      `/subscriptions/${subscription_id}/resourceGroups/${resource_group}/providers/Microsoft.ContainerInstance/containerGroups`;
  }

  /**
   * Creates a group. After a lost response or a conflict, the name decides whether the group exists: the runtime also
   * repeats a request on its own if a connection that it reuses was closed. If it does not exist, the request is repeated
   * within the time limit.
   *
   * @throws {Error} The last failure. It is ambiguous, so that the group may exist, if the failure of any attempt was.
   */
  async create(
    name: string,
    body: GroupBody,
    { signal, retryWithinMs = RETRY_WITHIN_MS }: CreateOptions,
  ): Promise<ReadGroup> {
    const lateAt = systemClock.monotonic() + retryWithinMs;
    const call = {
      ...this.#call("PUT", name, signal),
      body,
      retried: RETRIED_CREATIONS,
    };
    let isUncertain = false;
    let lost = 0;
    for (let attempt = 1;; attempt++) {
      try {
        const left = Math.max(0, lateAt - systemClock.monotonic());
        return toReadGroup(
          await this.arm.call({ ...call, retryWithinMs: left }),
        );
      } catch (error) {
        const isBusy = isTransient(error);
        if (signal.aborted || !isBusy && !isAmbiguous(error)) {
          throw isUncertain ? toUncertain(error) : error;
        }
        isUncertain ||= isAmbiguous(error);
        const found = await this.find(name, signal).catch(() => undefined);
        if (found) return found;
        const pause = findCreatePauseMs(error, attempt);
        if (!isBusy) lost++;
        const isLast = lost >= CREATE_ATTEMPTS ||
          systemClock.monotonic() + pause > lateAt;
        if (isLast) throw isUncertain ? toUncertain(error) : error;
        await systemClock.sleep(pause, signal);
      }
    }
  }

  /** Returns a group with the state of its containers; undefined if there is none of this name. */
  async find(
    name: string,
    signal: AbortSignal,
  ): Promise<ReadGroup | undefined> {
    try {
      return toReadGroup(await this.arm.call(this.#call("GET", name, signal)));
    } catch (error) {
      if (error instanceof ArmError && error.status === 404) return undefined;
      throw error;
    }
  }

  /**
   * Lists the groups of the resource group that have all of `tags`, without the state of their containers. A new group
   * may be missing, and a deleted one present, for some seconds.
   */
  async list(
    tags: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<readonly ContainerGroup[]> {
    const groups = await this.arm.readPages(containerGroupPageSchema, {
      ...this.#call("GET", "", signal),
    });
    return groups.filter((group) =>
      Object.entries(tags).every(([name, value]) =>
        group.tags?.[name] === value
      )
    );
  }

  /** Returns the groups of these names that exist. @throws {Error} If one cannot be read. */
  async findAll(
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly ContainerGroup[]> {
    const found = await this.findEach(names, signal);
    for (const { error } of found) if (error !== undefined) throw error;
    return found.flatMap(({ group }) => group ?? []);
  }

  /** Reads groups, a few at a time because Azure limits the rate of requests. Does not fail. */
  async findEach(
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly FoundGroup[]> {
    const turns = new Semaphore(MAX_READS);
    return await Promise.all(names.map(async (name) => {
      try {
        using _turn = await turns.acquire(signal);
        return { name, group: (await this.find(name, signal))?.group };
      } catch (error) {
        return { name, error };
      }
    }));
  }

  /** Requests the deletion of a group. Returns the pause after which it may be gone; undefined if it is gone. */
  async delete(
    name: string,
    signal: AbortSignal,
  ): Promise<{ readonly retryAfterMs: number | undefined } | undefined> {
    try {
      const { status, retryAfterMs } = await this.arm.call(
        this.#call("DELETE", name, signal),
      );
      return status === 204 ? undefined : { retryAfterMs };
    } catch (error) {
      if (error instanceof ArmError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Returns the last lines of the output of a group's container; empty if it has not started. */
  async readLogs(
    { name, container, lines }: {
      readonly name: string;
      readonly container: string;
      readonly lines: number;
    },
    signal: AbortSignal,
  ): Promise<string> {
    const { content } = await this.arm.read(logsSchema, {
      ...this.#call("GET", `${name}/containers/${container}/logs`, signal),
      query: { tail: String(lines) },
      // A group in transition has no output yet, and nothing waits for it.
      retryWithinMs: 0,
    });
    return (content ?? "").trimEnd().split("\n").slice(-lines).join("\n");
  }

  #call(method: ArmCall["method"], name: string, signal: AbortSignal): ArmCall {
    return {
      method,
      path: name === "" ? this.#path : `${this.#path}/${name}`,
      apiVersion: GROUPS_VERSION,
      signal,
    };
  }
}

/** Connects to the container groups of a pool. Sends no request. */
export function openContainerGroups(
  config: AzureConfig,
  // An empty variable counts as absent.
  readVariable: ReadVariable = (name) => Deno.env.get(name) || undefined,
): ContainerGroups {
  const tokens = new TokenSource(async () =>
    await selectCredential(config, readVariable).request()
  );
  return new ContainerGroups(
    new ArmClient(config.management_url, tokens),
    config,
  );
}

function toReadGroup(response: ArmResponse): ReadGroup {
  return {
    group: parseResponse(containerGroupSchema, response),
    retryAfterMs: response.retryAfterMs,
  };
}

/** Reports whether Azure works on a group of the same name, or rejects requests for a while. */
function isTransient(error: unknown): error is ArmError {
  return error instanceof ArmError && !error.isPermanent &&
    (error.status === 409 || error.status === 503);
}

function findCreatePauseMs(error: unknown, attempt: number): number {
  const asked = error instanceof ArmError ? error.retryAfterMs : undefined;
  const backoff = CREATE_PAUSE_MS * 2 ** Math.min(attempt - 1, 10);
  return asked ?? Math.min(backoff, MAX_CREATE_PAUSE_MS);
}

/** Returns an ambiguous error with the same message, after a creation of which an earlier attempt was ambiguous. */
function toUncertain(cause: unknown): unknown {
  return isAmbiguous(cause) ? cause : new Error(toMessage(cause), { cause });
}

/** Reports whether a failed request may have had its effect: Azure did not respond, or failed in between. */
export function isAmbiguous(error: unknown): boolean {
  if (!(error instanceof ArmError)) return true;
  return error.status >= 500 && !error.isPermanent || error.status === 408;
}
