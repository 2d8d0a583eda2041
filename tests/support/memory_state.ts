import type { StateStore, WorkerState } from "../../src/worker/state_file.ts";

/** A worker's state in memory. */
export class MemoryState implements StateStore {
  #state: WorkerState | undefined;

  constructor(state?: WorkerState) {
    this.#state = state;
  }

  read(): Promise<WorkerState | undefined> {
    return Promise.resolve(this.#state);
  }

  write(state: WorkerState): Promise<void> {
    this.#state = state;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}
