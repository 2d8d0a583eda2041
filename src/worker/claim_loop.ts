import type { Command, GridClient } from "../client/client.ts";
import { ApiError } from "../client/api_error.ts";
import { type Clock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import { createLogger } from "../core/log.ts";
import type { WorkerProof } from "../core/worker_proof.ts";
import type { Supervisor } from "./supervisor.ts";

const log = createLogger("worker", "claim_loop");

/** How long the server holds a claim that it has nothing for. */
const WAIT_SECONDS = 25;

/** Longest wait for an answer: one that is lost must not end the claiming. */
const RESPONSE_TIMEOUT_MS = WAIT_SECONDS * 1_000 + 8_000;

/** Pause between an answer and the next claim. */
const CLAIM_PAUSE_MS = 5;

/** Most sessions of one claim: the next one, an answer away, leaves others their share. */
const MAX_PER_CLAIM = 4;

/** What a claim loop works with. */
export interface ClaimLoopOptions {
  readonly client: GridClient;
  readonly workerId: string;
  readonly proof: WorkerProof;
  readonly clock: Clock;
  readonly supervisor: Supervisor;
  /** Pause after a failure. */
  readonly pauseMs: number;
  /** Whether sessions may be claimed at all. */
  readonly isOpen: () => boolean;
  readonly onCommands: (commands: readonly Command[]) => void;
  /** The answer had neither sessions nor orders: what woke it is told by a heartbeat. */
  readonly onWoken: () => void;
  /** A newer process is this worker. */
  readonly onReplaced: () => void;
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
    return this.#options.isOpen() ? this.#options.supervisor.room : 0;
  }

  async #run(): Promise<void> {
    const { clock, pauseMs, onReplaced } = this.#options;
    const { signal } = this.#stop;
    let failures = 0;
    let requestId = crypto.randomUUID();
    while (!signal.aborted) {
      try {
        await this.#claim(requestId);
        // Only an answer ends a request: one that was lost is asked for again under its id.
        requestId = crypto.randomUUID();
        failures = 0;
        // Whatever the server answers at once and again: not in a circle without a pause.
        await clock.sleep(CLAIM_PAUSE_MS, signal).catch(() => {});
      } catch (error) {
        if (signal.aborted) return;
        const isReplaced = error instanceof ApiError &&
          error.code === "worker_replaced";
        if (isReplaced) return onReplaced();
        if (failures++ === 0) {
          log.warn("Cannot claim sessions, tries go on: {error}", { error });
        }
        const pause = pauseMs * (1 + Math.random() / 2);
        await clock.sleep(pause, signal).catch(() => {});
      }
    }
  }

  async #claim(requestId: string): Promise<void> {
    const { client, workerId, proof, clock, supervisor, onCommands } =
      this.#options;
    const sentAt = clock.monotonic();
    const room = this.#room();
    const count = Math.max(1, Math.min(room, MAX_PER_CLAIM));
    const poll = new AbortController();
    this.#fullPoll = room === 0 ? poll : undefined;
    const ends = [poll.signal, this.#stop.signal];
    using patience = deadline(clock, RESPONSE_TIMEOUT_MS, ...ends);
    try {
      const answer = await client.claimSession(
        workerId,
        {
          request_id: requestId,
          // Else each claim would be answered at once with the orders that are being obeyed.
          obeying: [...supervisor.endingIds],
          room,
          count,
        },
        { proof, waitSeconds: WAIT_SECONDS, signal: patience.signal },
      );
      if (!answer) return;
      const { sessions, commands, waited_ms } = answer;
      for (const session of sessions) {
        supervisor.start(session, sentAt + waited_ms);
      }
      onCommands(commands);
      if (sessions.length + commands.length === 0) this.#options.onWoken();
    } catch (error) {
      if (!poll.signal.aborted) throw error;
    } finally {
      this.#fullPoll = undefined;
    }
  }
}
