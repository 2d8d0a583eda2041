import assert from "node:assert/strict";
import { ApiError } from "../../src/client/api_error.ts";
import { createClient } from "../../src/client/client.ts";
import { ServerAvailability } from "../../src/worker/server_availability.ts";
import { newProof } from "../support/worker_proofs.ts";

/** Returns the error of a call to a server that responds with `respond`. */
async function findError(
  respond: (signal: AbortSignal) => Promise<Response>,
): Promise<unknown> {
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => respond(request.signal),
  );
  try {
    const apiUrl = `http://127.0.0.1:${server.addr.port}`;
    return await createClient({ apiUrl }).sendHeartbeat(
      "w",
      {},
      { proof: newProof(), signal: AbortSignal.timeout(200) },
    ).then(() => undefined, (error) => error);
  } finally {
    await server.shutdown();
  }
}

Deno.test("a refused connection and a response with 502, 503 or 504 show that no server is available", async () => {
  const availability = new ServerAvailability();
  const closed = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = closed.addr;
  closed.close();
  const refused = await createClient({ apiUrl: `http://127.0.0.1:${port}` })
    .getWorker("w").catch((error: unknown) => error);
  availability.recordFailure(refused);
  assert.ok(availability.isUnavailable);
  for (const status of [502, 503, 504]) {
    availability.recordResponse();
    assert.ok(!availability.isUnavailable);
    availability.recordFailure(
      await findError(() => Promise.resolve(new Response("", { status }))),
    );
    assert.ok(availability.isUnavailable, String(status));
  }
});

Deno.test("silence, and a rejection by a running server, do not show that it is unavailable", async () => {
  const availability = new ServerAvailability();
  availability.recordFailure(new ApiError("unauthorized", "no", 401));
  assert.ok(!availability.isUnavailable);
  availability.recordFailure(
    await findError(async (signal) => {
      await new Promise((resolve) =>
        signal.addEventListener("abort", resolve, { once: true })
      );
      return new Response();
    }),
  );
  assert.ok(!availability.isUnavailable);
});
