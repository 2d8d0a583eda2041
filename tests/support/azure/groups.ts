import { systemClock } from "../../../src/async/clock.ts";
import { type GroupEvent, TestGroup } from "./group.ts";
import { groupRequestSchema } from "./group_request.ts";
import type { Reply } from "./tokens.ts";

/** Number of groups in a page of a list. */
const PAGE = 3;

/** Pause that responses ask for, so that tests are fast. */
const RETRY = { "retry-after-ms": "20", "retry-after": "1" };

/** The container groups of a contract server, with asynchronous operations. */
export class TestGroups {
  readonly serverId: string = crypto.randomUUID();
  /** Time for which a new group is missing in lists, and a deleted one is present. */
  listLagMs = 0;
  /** Resolves when provisioning may begin. */
  provisioning: Promise<void> = Promise.resolve();
  /** Events of groups that wait for it. */
  pendingEvents: readonly GroupEvent[] = [];
  readonly #groups = new Map<string, TestGroup>();
  readonly #deleted = new Map<TestGroup, number>();
  readonly #operations = new Set<Promise<void>>();
  readonly #closing = Promise.withResolvers<void>();

  /** Names of the groups that exist. */
  get names(): readonly string[] {
    return [...this.#groups.keys()];
  }

  /** Returns the group of a name. @throws {Error} If there is none. */
  get(name: string): TestGroup {
    const group = this.#groups.get(name);
    if (!group) throw new Error(`The server has no group ${name}`);
    return group;
  }

  /** Removes a group at once, without a request. */
  async vanish(name: string): Promise<void> {
    const group = this.get(name);
    this.#groups.delete(name);
    await group.remove();
  }

  async put(id: string, name: string, text: string): Promise<Reply> {
    const isName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name) &&
      !name.includes("--");
    const { success, data, error } = groupRequestSchema.safeParse(
      JSON.parse(text),
    );
    if (!isName || !success) {
      const message = isName
        ? error?.issues.map(({ path, message }) =>
          `${path.join(".")} ${message}`
        )
          .join("; ")
        : `name ${name}`;
      return reject(400, "InvalidRequestContent", `Invalid: ${message}`);
    }
    if (this.#groups.has(name)) {
      return reject(
        409,
        "ContainerGroupTransitioning",
        "This contract server replaces no group",
      );
    }
    const group = new TestGroup(name, data);
    this.#groups.set(name, group);
    group.provisioned = this.#provision(group);
    this.#track(group.provisioned);
    return {
      status: 201,
      body: await group.render(id, { isListed: false }),
      headers: { ...RETRY, location: `operations/${name}` },
    };
  }

  async read(id: string, name: string): Promise<Reply> {
    const group = this.#groups.get(name);
    if (!group) return notFound(name);
    const body = await group.render(id, { isListed: false });
    return { status: 200, body, headers: RETRY };
  }

  delete(name: string): Reply {
    const group = this.#groups.get(name);
    if (!group) return { status: 204 };
    if (group.provisioningState !== "Deleting") {
      this.#track(this.#remove(group));
    }
    return {
      status: 202,
      headers: { ...RETRY, location: `operations/${name}` },
    };
  }

  /** Responds to a request for a long-running operation. */
  async operation(id: string, name: string): Promise<Reply> {
    const group = this.#groups.get(name);
    if (!group) return { status: 204 };
    const isOver = /Succeeded|Failed/.test(group.provisioningState);
    return isOver ? await this.read(id, name) : { status: 202, headers: RETRY };
  }

  async list(base: string, origin: string, skip: number): Promise<Reply> {
    const now = Date.now();
    const seen = [
      ...[...this.#groups.values()].filter((group) =>
        group.createdAt + this.listLagMs <= now
      ),
      ...[...this.#deleted].filter(([, at]) => at + this.listLagMs > now)
        .map(([group]) => group),
    ];
    const page = seen.slice(skip, skip + PAGE);
    const value = await Promise.all(
      page.map((group) =>
        group.render(`${base}/${group.name}`, { isListed: true })
      ),
    );
    const next = skip + PAGE;
    return {
      status: 200,
      body: {
        value,
        ...(next < seen.length && {
          nextLink:
            `${origin}${base}?api-version=2025-09-01&%24skiptoken=${next}`,
        }),
      },
    };
  }

  async logs(name: string, tail: number | undefined): Promise<Reply> {
    const group = this.#groups.get(name);
    if (!group) return notFound(name);
    if (!group.container) {
      return reject(409, "ContainerGroupTransitioning", "still transitioning");
    }
    return { status: 200, body: { content: await group.readLogs(tail) } };
  }

  /** Removes everything, and waits for pending operations. */
  async clear(): Promise<void> {
    this.#closing.resolve();
    await Promise.allSettled(this.#operations);
    await Promise.all(this.names.map((name) => this.vanish(name)));
  }

  async #provision(group: TestGroup): Promise<void> {
    group.events.push(...this.pendingEvents);
    await Promise.race([this.provisioning, this.#closing.promise]);
    await systemClock.sleep(10);
    if (this.#groups.get(group.name) !== group) return;
    if (group.provisioningState === "Deleting") return;
    await group.run(this.serverId);
  }

  async #remove(group: TestGroup): Promise<void> {
    if (group.provisioningState === "Pending") {
      group.provisioningState = "Deleting";
    } else {
      await group.provisioned;
      group.provisioningState = "Deleting";
    }
    await group.remove();
    this.#deleted.set(group, Date.now());
    this.#groups.delete(group.name);
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#operations.delete(tracked));
    this.#operations.add(tracked);
  }
}

/** Returns an error as Azure reports it. */
export function reject(status: number, code: string, message: string): Reply {
  return { status, body: { error: { code, message } } };
}

function notFound(name: string): Reply {
  return reject(
    404,
    "ResourceNotFound",
    `The Resource 'Microsoft.ContainerInstance/containerGroups/${name}' was not found.`,
  );
}
