import { z } from "@hono/zod-openapi";
import { systemClock } from "../../async/clock.ts";
import { getDirectly } from "./get_directly.ts";

/** Pause between two questions: short, because a start is over when the first of them is answered. */
const POLL_MS = 20;

/** Longest time that one question may take, unless more is given. */
const ANSWER_TIMEOUT_MS = 2_000;

const versionAnswerSchema = z.object({
  Browser: z.string(),
  webSocketDebuggerUrl: z.url(),
});

/** A browser that answers. */
export interface CdpReady {
  /** WebSocket URL of the browser itself. */
  readonly endpoint: URL;
  /** `Chrome/126.0.6478.55` */
  readonly product: string;
}

/** How long {@linkcode waitForCdp} waits. */
export interface CdpWaitOptions {
  readonly timeoutMs: number;
  /** For one question. @default {2_000} */
  readonly answerTimeoutMs?: number;
  /** Aborted with the reason to give up: the session is no longer wanted, or the browser has ended. */
  readonly signal: AbortSignal;
}

/**
 * Asks `address` (`http://host:port`) for `/json/version` until a browser answers.
 *
 * @throws the signal's reason, or an error when `timeoutMs` is over.
 */
export async function waitForCdp(
  address: URL,
  { timeoutMs, answerTimeoutMs = ANSWER_TIMEOUT_MS, signal }: CdpWaitOptions,
): Promise<CdpReady> {
  const deadline = systemClock.monotonic() + timeoutMs;
  while (systemClock.monotonic() < deadline) {
    signal.throwIfAborted();
    const answer = await requestVersion(address, {
      timeoutMs: answerTimeoutMs,
      signal,
    });
    if (answer) return answer;
    await systemClock.sleep(POLL_MS, signal);
  }
  throw new Error(
    `the browser did not answer CDP within ${timeoutMs / 1000} s`,
  );
}

async function requestVersion(
  address: URL,
  { timeoutMs, signal }: CdpWaitOptions,
): Promise<CdpReady | undefined> {
  const given = new AbortController();
  const giveUp = () => given.abort();
  const timer = setTimeout(giveUp, timeoutMs);
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    const url = new URL("/json/version", address);
    const answer = await getDirectly(url, given.signal);
    const version = versionAnswerSchema.parse(JSON.parse(answer));
    const endpoint = new URL(version.webSocketDebuggerUrl);
    // The browser names the address it listens on, which is not always where it is reached.
    endpoint.host = address.host;
    return { endpoint, product: version.Browser };
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
  }
}
