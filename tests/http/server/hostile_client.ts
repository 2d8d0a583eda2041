import assert from "node:assert/strict";
import type { TestGrid } from "../../support/grid.ts";
import { type RawAnswer, rawHttp } from "../../support/raw_http.ts";

/** Returns the output of the server until it closes the connection, as the client requests. */
export async function answerTo(
  { url }: Pick<TestGrid, "url">,
  request: string | Uint8Array,
): Promise<RawAnswer> {
  using client = await rawHttp(url, request);
  return await client.closed;
}

/** Returns the head of a request that closes the connection after its response. */
export function head(line: string, ...headers: readonly string[]): string {
  return [line, "Host: localhost", "Connection: close", ...headers, "", ""]
    .join(
      "\r\n",
    );
}

/** Asserts that the server responds to other clients. */
export async function assertServes({ url }: TestGrid): Promise<void> {
  const health = await fetch(`${url}/health`);
  assert.deepEqual(await health.json(), { status: "ok" });
  const sessions = await fetch(`${url}/v1/sessions`);
  assert.equal(sessions.status, 200);
  await sessions.body?.cancel();
}

/** Header of a request with a JSON body. */
export const JSON_TYPE = "Content-Type: application/json";
