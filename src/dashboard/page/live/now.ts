import { type ReadonlySignal, signal } from "@preact/signals";

const current = signal(Date.now());

/** The time, which moves every second while the page is visible. */
export const now: ReadonlySignal<number> = current;

setInterval(() => {
  if (!document.hidden) current.value = Date.now();
}, 1_000);
