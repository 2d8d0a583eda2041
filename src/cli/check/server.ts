import { ApiError } from "../../client/api_error.ts";
import { createClient } from "../../client/client.ts";
import type { CheckResult } from "../../core/provider.ts";
import type { Settings } from "../../core/settings.ts";
import { checkWithin, type Finding } from "./result.ts";

/** Timeout of the check of the server. */
const SERVER_MS = 5_000;

/**
 * Checks that the server that `worker`, `pool` and `session` use responds. Never fails, because `serve` does not need it.
 *
 * @param options.isNamed True if a setting names the server.
 */
export async function checkServer(
  settings: Settings,
  { isNamed }: { readonly isNamed: boolean },
): Promise<CheckResult> {
  const result = await checkWithin(
    SERVER_MS,
    "server",
    () => requestPools(settings, { isNamed }),
  );
  return result.status === "fail" ? { ...result, status: "warn" } : result;
}

async function requestPools(
  { api_url, api_key }: Settings,
  { isNamed }: { readonly isNamed: boolean },
): Promise<Finding> {
  const client = createClient({
    apiUrl: api_url,
    apiKey: api_key,
    fetch: (input, init) =>
      fetch(input, { ...init, signal: AbortSignal.timeout(SERVER_MS) }),
  });
  try {
    await client.listPools({ limit: 1 });
    return `${api_url} answers`;
  } catch (error) {
    const isUnreachable = error instanceof ApiError &&
      error.code === "unreachable";
    if (isUnreachable && !isNamed) {
      return `None runs at ${api_url}; "browsergrid serve" starts one`;
    }
    throw error;
  }
}
