import { lookup } from "node:dns/promises";
import type { BrowserSpec } from "../../../core/browser_spec.ts";
import { toSocketHost } from "../../../core/network.ts";
import type { CheckResult, LocalSandbox } from "../../../core/provider.ts";
import { formatAuthority } from "../../kit/egress/proxy_request.ts";
import { listMachineAddresses } from "../../kit/machine_addresses.ts";
import { BoxEgresses } from "./box_egress.ts";
import { type BoxSupport, checkBoxSupport } from "./box_support.ts";
import type { BoxMaker } from "./open_box.ts";

/** Decides which sessions of a host are isolated. Disposal closes the egress of all boxes. */
export class Isolation implements AsyncDisposable {
  readonly #mode: LocalSandbox;
  readonly #server: URL | undefined;
  readonly egresses: BoxEgresses;
  #support: Promise<BoxSupport> | undefined;
  #serverAddresses: readonly string[] = [];

  constructor(mode: LocalSandbox = "auto", serverUrl?: string) {
    this.#mode = mode;
    this.#server = serverUrl === undefined ? undefined : new URL(serverUrl);
    this.egresses = new BoxEgresses(() => this.#listGridAddresses());
  }

  /**
   * Returns the maker of a session's box; undefined if the session runs without one. A pool that limits the egress of
   * its sessions isolates them, because only a box can enforce the limit.
   *
   * @throws {Error} If the session must be isolated and the host does not support it, or its egress is limited and
   *   isolation is off.
   */
  async boxesFor(spec: BrowserSpec): Promise<BoxMaker | undefined> {
    if (this.#mode === "off") {
      rejectLimitedEgress(spec);
      return undefined;
    }
    const isNeeded = spec.isolated || spec.egress.mode !== "open";
    if (this.#mode === "auto" && !isNeeded) return undefined;
    this.#support ??= checkBoxSupport();
    const support = await this.#support;
    if ("problem" in support) {
      // Tests again, because the missing program may have been installed.
      this.#support = undefined;
      throw new Error(
        `Cannot isolate the session from its host: ${support.problem}. Expected a host that can, the docker provider, or local_sandbox "off" for clients that may read the host's files and reach its network`,
      );
    }
    await this.#resolveServer();
    return { programs: support.programs, egresses: this.egresses };
  }

  /** Returns the result for `check`. */
  async check(): Promise<CheckResult> {
    const name = "isolation";
    if (this.#mode === "off") {
      return {
        name,
        status: "warn",
        detail:
          "Off by local_sandbox: sessions of client keys can read the host's files and reach its network",
      };
    }
    const support = await checkBoxSupport();
    const whose = this.#mode === "require"
      ? "All sessions"
      : "Sessions of client keys";
    if (!("problem" in support)) {
      return {
        name,
        status: "ok",
        detail: `${whose} have separate files and a separate network`,
      };
    }
    return {
      name,
      status: this.#mode === "require" ? "fail" : "warn",
      detail:
        `${whose} cannot be isolated and do not start: ${support.problem}`,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.egresses[Symbol.asyncDispose]();
  }

  /** Returns the addresses of the worker's host and of the server, on which parts of the grid listen. */
  #listGridAddresses(): readonly string[] {
    return [...listMachineAddresses(), ...this.#serverAddresses];
  }

  async #resolveServer(): Promise<void> {
    if (!this.#server || this.#serverAddresses.length > 0) return;
    const host = toSocketHost(this.#server);
    const port = Number(
      this.#server.port || (this.#server.protocol === "https:" ? 443 : 80),
    );
    const found = await lookup(host, { all: true }).catch(() => []);
    this.#serverAddresses = [host, ...found.map(({ address }) => address)].map(
      (each) => formatAuthority({ host: each, port }),
    );
  }
}

/**
 * Rejects a session whose pool limits egress if nothing can enforce the limit. The default limit of client keys is not
 * set by the pool, and `local_sandbox` "off" removes it.
 */
function rejectLimitedEgress({ isolated, egress }: BrowserSpec): void {
  const { mode, pool } = egress;
  if (mode === "open" || mode === "no_private" && isolated) return;
  throw new Error(
    `Cannot limit the session's egress: the egress of work pool "${pool}" is ${mode} and local_sandbox is "off", expected local_sandbox "auto", the docker provider, or egress "open"`,
  );
}
