import { z } from "zod";
import { type BrowserSpec, type Proxy } from "../../../core/browser_spec.ts";
import { egressPolicySchema } from "../../../core/egress.ts";
import { EgressFilter } from "../../kit/egress/filter.ts";
import {
  type EgressProxy,
  startEgressProxy,
  type Traffic,
} from "../../kit/egress/proxy.ts";
import type { BoxFolder } from "./box_folder.ts";

/** The state that a later process of the worker needs to reopen the egress of a box. Contains no secret. */
export const boxEgressSchema = z.strictObject({
  policy: egressPolicySchema,
  /** URL of a proxy without user name. */
  proxy_url: z.string().optional(),
});

export type BoxEgress = z.infer<typeof boxEgressSchema>;

/** Returns the recorded state of a session's egress. */
export function toBoxEgress({ egress, proxy }: BrowserSpec): BoxEgress {
  return {
    policy: { ...egress, allow: [...egress.allow] },
    ...(proxy === undefined ? {} : { proxy_url: proxy.proxy_url }),
  };
}

/** Options of {@linkcode BoxEgresses.open}. */
export interface BoxEgressOptions {
  readonly egress: BoxEgress;
  /** The session's proxy, if it has a user name. */
  readonly proxy?: Proxy | undefined;
}

/** The open egress of a box. */
export interface OpenEgress extends AsyncDisposable {
  /** Returns the bytes that the browser has received and sent since the egress was opened. */
  readTraffic(): Traffic;
}

/** The egress proxies of a host's boxes, which end with the host. */
export class BoxEgresses implements AsyncDisposable {
  readonly #open = new Set<EgressProxy>();
  readonly #gridAddresses: () => readonly string[];

  /** @param gridAddresses Returns the grid's own addresses. */
  constructor(gridAddresses: () => readonly string[]) {
    this.#gridAddresses = gridAddresses;
  }

  /** Opens the egress of a box, and replaces the socket of an earlier process. */
  async open(
    { egressSocket }: BoxFolder,
    { egress, proxy }: BoxEgressOptions,
  ): Promise<OpenEgress> {
    const { proxy_url, policy } = egress;
    await Deno.remove(egressSocket).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    const opened = await startEgressProxy({
      path: egressSocket,
      filter: new EgressFilter(policy, { gridAddresses: this.#gridAddresses }),
      upstream: proxy ?? (proxy_url === undefined ? undefined : { proxy_url }),
    });
    this.#open.add(opened);
    // The folder's permissions limit access to the worker and the user of the box.
    await Deno.chmod(egressSocket, 0o666);
    return {
      readTraffic: () => opened.traffic,
      [Symbol.asyncDispose]: async () => {
        this.#open.delete(opened);
        await opened[Symbol.asyncDispose]();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const open = [...this.#open];
    this.#open.clear();
    await Promise.all(open.map((each) => each[Symbol.asyncDispose]()));
  }
}
