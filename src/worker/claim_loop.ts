import type { Clock } from "../async/clock.ts";
import { deadline } from "../async/deadline.ts";
import { ApiError } from "../client/api_error.ts";
import type { GridClient, WorkerCommand } from "../client/client.ts";
import { createLogger } from "../core/log.ts";
import type { WorkerProof } from "../core/worker_proof.ts";
import type { Supervisor } from "./supervisor.ts";

const log = createLogger("worker", "claim_loop");

/** Time for which the server holds a claim while it has no session for it. */
const WAIT_SECONDS = 25;

/** Timeout of a response, so that a lost one does not end the claims. */
const RESPONSE_TIMEOUT_MS = WAIT_SECONDS * 1_000 + 8_000;

/** Pause between a response and the next claim. Limits the rate if the server always responds immediately. */
const CLAIM_PAUSE_MS = 5;

/** Maximum number of sessions per claim. Leaves sessions for other workers; the next claim follows the response. */
const MAX_PER_CLAIM = 4;

/** Options of a {@linkcode ClaimLoop}. */
export interface ClaimLoopOptions {
  readonly client: GridClient;
  readonly workerId: string;
  readonly proof: WorkerProof;
  readonly clock: Clock;
  readonly supervisor: Pick<Supervisor, "room" | "endingIds" | "start">;
  /** Pause after a failure. */
  readonly pauseMs: number;
  /** Returns true if the worker accepts sessions. */
  readonly isOpen: () => boolean;
  readonly onCommands: (commands: readonly WorkerCommand[]) => void;
  /** Called on a response without sessions and commands: only a heartbeat receives what the server has changed. */
  readonly onWoken: () => void;
  /** Called if a newer process has registered as this worker. */
  readonly onReplaced: () => void;
}

/**
 * Claims sessions until disposed. One claim is always in flight, with `room: 0` while the worker is full, so that
 * commands arrive without delay.
 */
export class ClaimLoop implements AsyncDisposable {
  readonly #options: ClaimLoopOptions;
  readonly #stop = new AbortController();
  #done: Promise<void> = Promise.resolve();
  /** The claim in flight, if it was sent without room. */
  #fullPoll: AbortController | undefined;

  constructor(options: ClaimLoopOptions) {
    this.#options = options;
  }

  /** Sends the first claim, and more until disposed. */
  start(): void {
    this.#done = this.#run();
  }

  /** Replaces the claim in flight if it was sent without room and there is room now. */
  roomChanged(): void {
    if (this.#room > 0) this.#fullPoll?.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  get #room(): number {
    const { isOpen, supervisor } = this.#options;
    return isOpen() ? supervisor.room : 0;
  }

  async #run(): Promise<void> {
    const { clock, pauseMs, onReplaced } = this.#options;
    const { signal } = this.#stop;
    let failures = 0;
    let requestId = crypto.randomUUID();
    while (!signal.aborted) {
      try {
        await this.#claim(requestId);
        // After a lost response the claim is repeated with the same id.
        requestId = crypto.randomUUID();
        failures = 0;
        await clock.sleep(CLAIM_PAUSE_MS, signal).catch(() => {});
      } catch (error) {
        if (signal.aborted) return;
        const isReplaced = error instanceof ApiError &&
          error.code === "worker_replaced";
        if (isReplaced) return onReplaced();
        if (failures++ === 0) {
          log.warn("Claim failed, retrying: {error}", { error });
        }
        const pause = pauseMs * (1 + Math.random() / 2);
        await clock.sleep(pause, signal).catch(() => {});
      }
    }
  }

  async #claim(requestId: string): Promise<void> {
    const { client, workerId, proof, clock, supervisor, onCommands, onWoken } =
      this.#options;
    const sentAt = clock.monotonic();
    const room = this.#room;
    const poll = new AbortController();
    this.#fullPoll = room === 0 ? poll : undefined;
    const ends = [poll.signal, this.#stop.signal];
    using timeout = deadline(clock, RESPONSE_TIMEOUT_MS, ...ends);
    try {
      const response = await client.claimSession(
        workerId,
        {
          request_id: requestId,
          // Without these ids the server would respond immediately with commands that are already being executed.
          obeying: [...supervisor.endingIds],
          room,
          count: Math.max(1, Math.min(room, MAX_PER_CLAIM)),
        },
        { proof, waitSeconds: WAIT_SECONDS, signal: timeout.signal },
      );
      if (!response) return;
      const { sessions, commands, waited_ms } = response;
      for (const session of sessions) {
        supervisor.start(session, sentAt + waited_ms);
      }
      onCommands(commands);
      if (sessions.length + commands.length === 0) onWoken();
    } catch (error) {
      if (!poll.signal.aborted) throw error;
    } finally {
      this.#fullPoll = undefined;
    }
  }
}
