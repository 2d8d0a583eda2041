import { canStart, type StartablePool } from "./candidate.ts";

/** Returns the reasons why no session can be started in a pool by its provider, each as a sentence. */
export function findStartWarnings(startable: StartablePool): readonly string[] {
  const { pool, choices } = startable;
  if (choices.length === 0) {
    return [
      `No session can be started in work pool "${pool.name}": this version starts no browsers with provider "${pool.providerType}", and rejects sessions for it with browser_not_available`,
    ];
  }
  if (canStart({}, startable)) return [];
  return [
    `Cannot start a session with the defaults of work pool "${pool.name}": its provider "${pool.providerType}" has no such browser`,
  ];
}
