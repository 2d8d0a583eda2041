import { deadline } from "../../src/async/deadline.ts";
import type { Network } from "./network.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";

/** Longest wait for an answer. */
const PATIENCE_MS = 20_000;

/** Headers of the requests. */
export interface Ask {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that counts. */
export interface Answered {
  readonly status: number;
  readonly body: unknown;
}

/** Somebody who calls the API over a network that he does not trust. */
export class Caller {
  readonly #process: Process;
  readonly #network: Network;
  readonly #random: Random;

  constructor(
    { process, network, random }: {
      readonly process: Process;
      readonly network: Network;
      readonly random: Random;
    },
  ) {
    this.#process = process;
    this.#network = network;
    this.#random = random;
  }

  /** Undefined: there was no answer in time, or one that says "later". */
  async ask(
    method: string,
    path: string,
    { body, headers = {} }: Ask = {},
  ): Promise<Answered | undefined> {
    const { clock } = this.#process;
    using patience = deadline(clock, PATIENCE_MS);
    const fetch = this.#network.createFetch(this.#process);
    const hasBody = body !== undefined;
    const response = await fetch(`http://grid/v1${path}`, {
      method,
      headers: hasBody
        ? { ...headers, "content-type": "application/json" }
        : { ...headers },
      ...(hasBody ? { body: JSON.stringify(body) } : {}),
      signal: patience.signal,
    }).catch(() => undefined);
    if (!response || response.status > 500) return undefined;
    const text = await response.text();
    return {
      status: response.status,
      body: text === "" ? undefined : JSON.parse(text),
    };
  }

  /** Asks again, up to `tries` times, until there is an answer that counts. */
  async insist(
    method: string,
    path: string,
    { tries = 6, ...ask }: Ask & { readonly tries?: number } = {},
  ): Promise<Answered | undefined> {
    for (let each = 1;; each++) {
      const answer = await this.ask(method, path, ask);
      if (answer || each === tries) return answer;
      await this.#process.clock.sleep(this.#random.between(500, 5_000));
    }
  }
}
