import { poolProblems } from "../../src/apps/workerpool/problems.ts";
import assert from "node:assert/strict";
import { openDatabase } from "../../src/db/client.ts";
import { GridError, toGridError } from "../../src/core/errors.ts";
import { problemResponse } from "../../src/http/problem_response.ts";
import { describeError } from "../../src/core/log.ts";
import { workers } from "../../src/apps/workers/models.ts";
import { eq } from "drizzle-orm";

Deno.test("problemResponse() creates problem+json with code, status and Retry-After", async () => {
  const response = problemResponse(
    new GridError(poolProblems.queue_full, "Cannot queue", {
      work_pool_id: "p",
    }),
    "r1",
  );
  assert.equal(response.status, 429);
  assert.equal(
    response.headers.get("content-type"),
    "application/problem+json",
  );
  assert.equal(response.headers.get("retry-after"), "5");
  assert.deepEqual(await response.json(), {
    type: "urn:browsergrid:problem:queue_full",
    title: "Queue is full",
    status: 429,
    detail: "Cannot queue",
    code: "queue_full",
    request_id: "r1",
    work_pool_id: "p",
  });
});

Deno.test("toGridError() hides the message of a foreign error", () => {
  const refusal = toGridError(new Error("password is hunter2"));
  assert.equal(refusal.code, "internal");
  assert.doesNotMatch(refusal.message, /hunter2/);
});

Deno.test("describeError() does not show the bound values of a failed query", async () => {
  using db = await openDatabase(":memory:");
  const failure = await db.orm.select().from(workers).where(
    eq(workers.name, "hunter2"),
  ).then(() => undefined, (error: unknown) => error);
  assert.match(String(failure), /hunter2/, "the trap is gone; simplify");
  assert.doesNotMatch(describeError(failure), /hunter2/);
  assert.match(describeError(failure), /no such table/);
});
