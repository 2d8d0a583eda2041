import assert from "node:assert/strict";
import {
  engineMessage,
  engineStatus,
  isUnreachable,
  rethrowAs,
} from "../../../../src/providers/docker/engine/engine_error.ts";

const REJECTED = Object.assign(
  new Error("(HTTP code 409) unexpected - name is in use "),
  { statusCode: 409 },
);
const REFUSED = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
const RESET = Object.assign(new Error("read"), { code: "ECONNRESET" });

Deno.test("engineMessage() returns the engine's message without the client library's prefix", () => {
  assert.equal(engineMessage(REJECTED), "name is in use");
  const withBody = Object.assign(new Error("x"), {
    json: { message: " no such image\n" },
  });
  assert.equal(engineMessage(withBody), "no such image");
  assert.equal(engineMessage("text"), "text");
});

Deno.test("engineMessage() describes a missing and a broken connection", () => {
  assert.equal(
    engineMessage(REFUSED),
    "the engine cannot be reached (ECONNREFUSED)",
  );
  assert.equal(
    engineMessage(RESET),
    "the engine broke off the connection (ECONNRESET)",
  );
});

Deno.test("isUnreachable() is true only if there was no connection", () => {
  assert.ok(isUnreachable(REFUSED));
  assert.ok(!isUnreachable(RESET));
  assert.ok(!isUnreachable(REJECTED));
});

Deno.test("engineStatus() returns the HTTP status, and undefined without a response", () => {
  assert.equal(engineStatus(REJECTED), 409);
  assert.equal(engineStatus(REFUSED), undefined);
});

Deno.test("rethrowAs() adds its message and keeps the cause", () => {
  assert.throws(
    () => rethrowAs("Cannot list containers")(REJECTED),
    { message: "Cannot list containers: name is in use", cause: REJECTED },
  );
});
