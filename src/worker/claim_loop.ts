import type { Command, GridClient } from "../client/client.ts";
import type { Clock } from "../core/clock.ts";
import { logOf } from "../core/log.ts";
import type { Supervisor } from "./supervisor.ts";

const log = logOf("worker", "claim_loop");

/** How long the server holds a claim that it has nothing for. */
const WAIT_SECONDS = 25;

/** What a claim loop works with. */
export interface ClaimLoopOptions {
  readonly client: GridClient;
  readonly workerId: string;
  readonly clock: Clock;
  readonly supervisor: Supervisor;
  /** Pause after a failure. */
  readonly pauseMs: number;
  readonly isDraining: () => boolean;
  readonly onCommand: (command: Command) => void;
  /** The answer had neither session nor orders: what woke it is told by a heartbeat. */
  readonly onWoken: () => void;
}

/**
 * Claims sessions until disposed. One claim is always under way, with `room: 0` when the worker is full, so that orders
 * arrive at once.
 */
export class ClaimLoop implements AsyncDisposable {
  readonly #options: ClaimLoopOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  /** The claim under way, if it was sent without room. */
  #fullPoll: AbortController | undefined;

  constructor(options: ClaimLoopOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  /** Asks anew if the claim under way said that there is no room, and now there is. */
  roomChanged(): void {
    if (this.#room() > 0) this.#fullPoll?.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  #room(): number {
    return this.#options.isDraining() ? 0 : this.#options.supervisor.room;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let failures = 0;
    let requestId = crypto.randomUUID();
    while (!signal.aborted) {
      try {
        await this.#claim(requestId);
        // Only an answer ends a request: one that was lost is asked for again under its id.
        requestId = crypto.randomUUID();
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (failures++ === 0) {
          log.warn("Cannot claim sessions, tries go on: {error}", { error });
        }
        const { clock, pauseMs } = this.#options;
        await clock.sleep(pauseMs, signal).catch(() => {});
      }
    }
  }

  async #claim(requestId: string): Promise<void> {
    const { client, workerId, clock, supervisor } = this.#options;
    const sentAt = clock.monotonic();
    const room = this.#room();
    const poll = new AbortController();
    this.#fullPoll = room === 0 ? poll : undefined;
    try {
      const answer = await client.claimSession(
        workerId,
        { request_id: requestId, room },
        {
          waitSeconds: WAIT_SECONDS,
          signal: AbortSignal.any([poll.signal, this.#stop.signal]),
        },
      );
      if (answer?.session) supervisor.take(answer.session, sentAt);
      for (const command of answer?.commands ?? []) {
        this.#options.onCommand(command);
      }
      const isBare = answer && !answer.session && answer.commands.length === 0;
      if (isBare) this.#options.onWoken();
    } catch (error) {
      if (!poll.signal.aborted) throw error;
    } finally {
      this.#fullPoll = undefined;
    }
  }
}
