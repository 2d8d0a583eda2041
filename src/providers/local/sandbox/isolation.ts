import { lookup } from "node:dns/promises";
import type { BrowserSpec } from "../../../core/browser_spec.ts";
import { hostName } from "../../../core/host_name.ts";
import type { CheckResult, LocalSandbox } from "../../../core/provider.ts";
import { authority } from "../../kit/proxy_request.ts";
import { BoxEgresses } from "./box_egress.ts";
import { type BoxAbility, boxAbility } from "./box_problem.ts";
import type { BoxMaker } from "./open_box.ts";

/** Which sessions of a host are isolated, and with what. Disposal closes the ways out of all boxes. */
export class Isolation implements AsyncDisposable {
  readonly #mode: LocalSandbox;
  readonly #server: URL | undefined;
  readonly egresses: BoxEgresses;
  #ability: Promise<BoxAbility> | undefined;
  #serverAddresses: readonly string[] = [];

  constructor(mode: LocalSandbox = "auto", serverUrl?: string) {
    this.#mode = mode;
    this.#server = serverUrl === undefined ? undefined : new URL(serverUrl);
    this.egresses = new BoxEgresses(() => this.#own());
  }

  /**
   * Returns the maker of a session's box; undefined: the session runs without one. A pool that limits the egress of its
   * sessions isolates them: only a box can hold a browser to a limit.
   *
   * @throws {Error} If the session must be isolated and cannot be here, or its egress is limited and isolation is off.
   */
  async boxesFor(spec: BrowserSpec): Promise<BoxMaker | undefined> {
    if (this.#mode === "off") {
      rejectLimitedEgress(spec);
      return undefined;
    }
    const isNeeded = spec.isolated || spec.egress.mode !== "open";
    if (this.#mode === "auto" && !isNeeded) return undefined;
    this.#ability ??= boxAbility();
    const ability = await this.#ability;
    if ("problem" in ability) {
      // What is missing may have been installed by the next start.
      this.#ability = undefined;
      throw new Error(
        `Cannot isolate the session from its host: ${ability.problem}. Expected a host that can, the docker provider, or local_sandbox "off" for clients that may read the host's files and reach its network`,
      );
    }
    await this.#resolveServer();
    return { programs: ability.programs, egresses: this.egresses };
  }

  /** What `check` says of it. */
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
    const ability = await boxAbility();
    const whose = this.#mode === "require"
      ? "All sessions"
      : "Sessions of client keys";
    if (!("problem" in ability)) {
      return {
        name,
        status: "ok",
        detail: `${whose} have files and a network of their own`,
      };
    }
    return {
      name,
      status: this.#mode === "require" ? "fail" : "warn",
      detail:
        `${whose} cannot be isolated and do not start: ${ability.problem}`,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.egresses[Symbol.asyncDispose]();
  }

  /** The addresses of the worker's host and of the server: where the grid's own parts listen. */
  #own(): readonly string[] {
    const host = Deno.networkInterfaces().map(({ address }) => address);
    return [...host, ...this.#serverAddresses];
  }

  async #resolveServer(): Promise<void> {
    if (!this.#server || this.#serverAddresses.length > 0) return;
    const host = hostName(this.#server);
    const port = Number(
      this.#server.port || (this.#server.protocol === "https:" ? 443 : 80),
    );
    const found = await lookup(host, { all: true }).catch(() => []);
    this.#serverAddresses = [host, ...found.map(({ address }) => address)].map(
      (each) => authority({ host: each, port }),
    );
  }
}

/**
 * Rejects a session whose pool limits its egress where nothing can enforce that. The limit that client keys have by
 * default is not one that the pool sets: `local_sandbox` "off" takes it away.
 */
function rejectLimitedEgress({ isolated, egress }: BrowserSpec): void {
  const { mode, pool } = egress;
  if (mode === "open" || mode === "no_private" && isolated) return;
  throw new Error(
    `Cannot limit what the session reaches: the egress of work pool "${pool}" is ${mode} and local_sandbox is "off", expected local_sandbox "auto", the docker provider, or egress "open"`,
  );
}
