import { ApiError } from "../../client/api_error.ts";
import { createClient } from "../../client/client.ts";
import type { CheckResult } from "../../core/provider.ts";
import type { Settings } from "../../core/settings.ts";
import { checkWithin, type Finding } from "./result.ts";

/** Longest wait for the server. */
const SERVER_MS = 5_000;

/** Whether the server that `worker`, `pool` and `session` talk to is there. Never a failure: `serve` does not need it. */
export async function checkServer(
  settings: Settings,
  isNamed: boolean,
): Promise<CheckResult> {
  const result = await checkWithin(
    SERVER_MS,
    "server",
    () => askServer(settings, isNamed),
  );
  return result.status === "fail" ? { ...result, status: "warn" } : result;
}

async function askServer(
  { api_url, api_key }: Settings,
  isNamed: boolean,
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
    const isAway = error instanceof ApiError && error.code === "unreachable";
    if (isAway && !isNamed) {
      return `None runs at ${api_url}; "browsergrid serve" starts one`;
    }
    throw error;
  }
}
