import assert from "node:assert/strict";
import { ApiError } from "../../src/client/api_error.ts";
import { createClient } from "../../src/client/client.ts";
import { ServerAvailability } from "../../src/worker/server_availability.ts";
import { newProof } from "../support/worker_proofs.ts";

/** What the client throws for a server behind `respond`. */
async function failureOf(
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

Deno.test("a refused connection and an answer of 502, 503 or 504 show that no server is there", async () => {
  const sight = new ServerAvailability();
  const nobody = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = nobody.addr;
  nobody.close();
  const refused = await createClient({ apiUrl: `http://127.0.0.1:${port}` })
    .getWorker("w").catch((error: unknown) => error);
  sight.recordFailure(refused);
  assert.ok(sight.isUnavailable);
  for (const status of [502, 503, 504]) {
    sight.recordResponse();
    assert.ok(!sight.isUnavailable);
    sight.recordFailure(
      await failureOf(() => Promise.resolve(new Response("", { status }))),
    );
    assert.ok(sight.isUnavailable, String(status));
  }
});

Deno.test("silence, and a refusal by a server that is there, do not", async () => {
  const sight = new ServerAvailability();
  sight.recordFailure(new ApiError("unauthorized", "no", 401));
  assert.ok(!sight.isUnavailable);
  sight.recordFailure(
    await failureOf(async (signal) => {
      await new Promise((resolve) =>
        signal.addEventListener("abort", resolve, { once: true })
      );
      return new Response();
    }),
  );
  assert.ok(!sight.isUnavailable);
});
