import type { GridClient } from "../../src/client/client.ts";

/** Sessions that wait in a queue, so that lists are long. */
const QUEUED = 2_000;

/** Sessions created at once. */
const BATCH = 20;

/** Longest page of a list. */
const PAGE = 500;

/** Size of a body in bytes, slightly under the limit of the server. */
const BODY_BYTES = 2 * 2 ** 20 - 1_024;

/** Queues sessions in a pool without workers, and returns the function that sends the heaviest calls about them. */
export async function prepareHeavyCalls(
  client: GridClient,
): Promise<(signal: AbortSignal) => Promise<void>> {
  const pool = "queue";
  await client.createPool({ name: pool, provider_type: "given" });
  const create = () =>
    Promise.all(
      Array.from(
        { length: BATCH },
        () => client.createSession({ work_pool_id: pool }),
      ),
    );
  for (let made = 0; made < QUEUED; made += BATCH) await create();
  const environment = { LARGE: "x".repeat(BODY_BYTES) };
  /** Sends the longest list, bodies of the maximum size and creates without a pause until `signal` is aborted. */
  return async function sendHeavyCalls(signal) {
    await Promise.all([
      repeat(() => client.listSessions({ limit: PAGE }), signal),
      // Read and parsed, then rejected: its pool is unknown.
      repeat(
        () =>
          client.createSession({ work_pool_id: "no_such_pool", environment })
            .catch(() => {}),
        signal,
      ),
      repeat(create, signal),
    ]);
  };
}

async function repeat(
  call: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) await call();
}
