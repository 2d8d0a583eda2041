import assert from "node:assert/strict";
import type { TestGrid } from "../../support/grid.ts";
import { type RawAnswer, rawHttp } from "../../support/raw_http.ts";

/** What the server sends back until the connection closes, which the client asks for. */
export async function answerTo(
  { url }: Pick<TestGrid, "url">,
  request: string | Uint8Array,
): Promise<RawAnswer> {
  using client = await rawHttp(url, request);
  return await client.closed;
}

/** A request's head, after whose answer the connection is to be closed. */
export function head(line: string, ...headers: readonly string[]): string {
  return [line, "Host: localhost", "Connection: close", ...headers, "", ""]
    .join(
      "\r\n",
    );
}

/** The server answers others as before. */
export async function assertServes({ url }: TestGrid): Promise<void> {
  const health = await fetch(`${url}/health`);
  assert.deepEqual(await health.json(), { status: "ok" });
  const sessions = await fetch(`${url}/v1/sessions`);
  assert.equal(sessions.status, 200);
  await sessions.body?.cancel();
}

/** Header of a body that is to be read. */
export const JSON_TYPE = "Content-Type: application/json";
