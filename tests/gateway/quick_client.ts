import assert from "node:assert/strict";
import type { ClaimedSession } from "../../src/apps/sessions/schemas/leases.ts";
import { type RawClient, rawClient } from "../support/raw_client.ts";
import type { GatewayScene } from "./scene.ts";

/** A client that is connected through `/v1/connect`. */
export interface QuickClient {
  readonly client: RawClient;
  readonly workerId: string;
  readonly claimed: ClaimedSession;
  /** URL at which the client can connect again. */
  readonly url: string;
}

/** Connects a client through `/v1/connect` with a query; its session runs on the scene's browser. */
export async function quickClient(
  { api, grid, upstream }: GatewayScene,
  query = "",
): Promise<QuickClient> {
  const workerId = await api.worker();
  const made = grid.core.bus.next(
    ({ type }) => type === "session_created",
    AbortSignal.timeout(10_000),
  );
  const connecting = rawClient(
    `${grid.url.replace("http", "ws")}/v1/connect${query}`,
  );
  await made;
  const claimed = await api.claim(workerId);
  assert.ok(claimed);
  const { endpoint } = upstream;
  await api.report(workerId, claimed, "running", { endpoint });
  const client = await connecting;
  const [, url = ""] =
    /^browsergrid-connect-url: (.*)\r$/im.exec(client.head) ??
      [];
  return { client, workerId, claimed, url };
}
