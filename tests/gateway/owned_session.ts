import assert from "node:assert/strict";
import type { ClaimedSession } from "../../src/apps/sessions/schemas/leases.ts";
import type { Api } from "../support/api.ts";
import type { KeyedGrid } from "../support/keys.ts";

/** A running session of a client key, with the clients of its owner and its worker. */
export interface OwnedSession {
  /** The owner's key. */
  readonly key: string;
  readonly owner: Api;
  readonly worker: Api;
  readonly workerId: string;
  readonly claimed: ClaimedSession;
  readonly connectUrl: string;
  /** Query of the connect URL, with its token. */
  readonly search: string;
}

/** Starts a session of a new client key, with its browser at `endpoint`. */
export async function startOwnedSession(
  grid: KeyedGrid,
  endpoint: string,
): Promise<OwnedSession> {
  await grid.admin.pool();
  const { key } = await grid.key();
  const owner = grid.as(key);
  const worker = await grid.asNew({ role: "worker" });
  const { connect_url: connectUrl } = await owner.session();
  const workerId = await worker.worker();
  const claimed = await worker.claim(workerId);
  assert.ok(claimed);
  await worker.report(workerId, claimed, "running", { endpoint });
  const { search } = new URL(connectUrl);
  return { key, owner, worker, workerId, claimed, connectUrl, search };
}
