import type { Settings } from "./settings.ts";

/**
 * Origin of the server's WebSockets, as whoever asks can reach them: `public_url`, else what the request itself reached.
 *
 * Has no slash at its end.
 */
export function webSocketOrigin(
  { public_url }: Pick<Settings, "public_url">,
  requestUrl: string,
): string {
  const origin = public_url ?? new URL(requestUrl).origin;
  return origin.replace(/^http/, "ws").replace(/\/+$/, "");
}
