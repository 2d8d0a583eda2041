/**
 * Waits for the end of this turn of the event loop. Real time, also under a test's clock.
 *
 * Sockets may stay unread: only a pause makes Deno ask for ready ones, or each 61st turn without a pause.
 */
export function endOfTurn(): Promise<void> {
  return new Promise((resolve) => globalThis.setImmediate(resolve));
}
