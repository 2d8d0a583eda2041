/** Waits until the event loop has served the timers and sockets that are due. Real time, also under a test's clock. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
