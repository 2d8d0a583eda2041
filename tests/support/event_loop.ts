import { setImmediate as nextTurn } from "node:timers/promises";

/** Number of turns after which work that waits for no clock and no socket has ended. */
const TURNS = 10;

/** Runs all pending asynchronous work that waits for neither a clock nor a socket. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await nextTurn();
}
