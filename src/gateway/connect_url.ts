import { Buffer } from "node:buffer";
import type { SessionManager } from "../apps/sessions/manager.ts";
import type { Core } from "../core/app.ts";
import { type Caller, isAnonymous } from "../core/caller.ts";

/** Headers of a handshake's answer by which a client learns whom it is connected with. */
export const SESSION_HEADERS = {
  id: "Browsergrid-Session-Id",
  connectUrl: "Browsergrid-Connect-Url",
} as const;

/** Whom a client asked for what, and how. */
export interface ConnectUrlOptions {
  readonly id: string;
  readonly caller: Caller;
  /** With its query. */
  readonly url: URL;
  /** How long the addresses are to be good for; by default as the settings say. */
  readonly lifetimeMs?: number | undefined;
}

/** What a session's addresses must carry for `caller`. Whoever has shown a token is given the same again: it is not made to last longer. */
export async function resolveToken(
  { auth }: Pick<Core, "auth">,
  { id, caller, url, lifetimeMs }: ConnectUrlOptions,
): Promise<string | undefined> {
  const hasToken = isAnonymous(caller) || caller.sessionId !== undefined;
  if (hasToken) return url.searchParams.get("token") ?? undefined;
  return await auth.connectTokens.issue(id, lifetimeMs);
}

/** The session's id, and where its client connects again. */
export async function createSessionHeaders(
  core: Pick<Core, "auth">,
  manager: Pick<SessionManager, "buildConnectUrl">,
  asked: ConnectUrlOptions & { readonly baseUrl: string },
): Promise<Readonly<Record<string, string>>> {
  const base = manager.buildConnectUrl(asked.id, asked.baseUrl);
  const token = await resolveToken(core, asked);
  const query = token === undefined ? "" : `?${new URLSearchParams({ token })}`;
  return {
    [SESSION_HEADERS.id]: asked.id,
    [SESSION_HEADERS.connectUrl]: base + query,
  };
}

/** Returns the length of the head of an HTTP response, including the empty line at its end. */
export function findHeadEnd(response: Uint8Array): number {
  return Buffer.from(response).indexOf("\r\n\r\n") + 4;
}

/** The answer with `headers` at the end of its head. What follows the head stays as it is. */
export function appendHeaders(
  answer: Uint8Array,
  headers: Readonly<Record<string, string>>,
): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  const end = findHeadEnd(answer) - 2;
  return Buffer.concat([
    answer.subarray(0, end),
    Buffer.from(lines.join(""), "latin1"),
    answer.subarray(end),
  ]);
}
