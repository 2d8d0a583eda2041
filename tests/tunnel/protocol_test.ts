import assert from "node:assert/strict";
import fc from "fast-check";
import {
  MAX_REFUSAL_REASON,
  openMessageSchema,
  parseMessage,
  refusedMessageSchema,
  renderTunnelPath,
} from "../../src/tunnel/protocol.ts";

const STREAM_ID = "0123456789abcdef".repeat(2);
const SESSION_ID = "019ad0c2-6d1e-7000-8000-0123456789ab";

Deno.test("a message of each type is read back from its JSON", () => {
  const open = { type: "open", stream_id: STREAM_ID, session_id: SESSION_ID };
  assert.deepEqual(
    parseMessage(openMessageSchema, JSON.stringify(open)),
    open,
  );
  const refused = { type: "refused", stream_id: STREAM_ID, reason: "unknown" };
  assert.deepEqual(
    parseMessage(refusedMessageSchema, JSON.stringify(refused)),
    refused,
  );
});

Deno.test("a message with further members is read without them, so that newer versions may add some", () => {
  const open = { type: "open", stream_id: STREAM_ID, session_id: SESSION_ID };
  const newer = JSON.stringify({ ...open, priority: 1 });
  assert.deepEqual(parseMessage(openMessageSchema, newer), open);
});

Deno.test("a message of another type, or with a wrong id, is undefined", () => {
  const wrong = [
    { type: "close", stream_id: STREAM_ID, session_id: SESSION_ID },
    {
      type: "open",
      stream_id: STREAM_ID.toUpperCase(),
      session_id: SESSION_ID,
    },
    { type: "open", stream_id: `${STREAM_ID}0`, session_id: SESSION_ID },
    { type: "open", stream_id: "../../sessions", session_id: SESSION_ID },
    { type: "open", stream_id: STREAM_ID, session_id: "one" },
    { type: "open", stream_id: STREAM_ID },
  ];
  for (const message of wrong) {
    const text = JSON.stringify(message);
    assert.equal(parseMessage(openMessageSchema, text), undefined, text);
  }
});

Deno.test("a reason that is too long is rejected whole", () => {
  const refused = (length: number) =>
    JSON.stringify({
      type: "refused",
      stream_id: STREAM_ID,
      reason: "x".repeat(length),
    });
  const parse = (text: string) => parseMessage(refusedMessageSchema, text);
  assert.equal(parse(refused(MAX_REFUSAL_REASON))?.type, "refused");
  assert.equal(parse(refused(MAX_REFUSAL_REASON + 1)), undefined);
});

Deno.test("no text makes the parser throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      assert.equal(parseMessage(openMessageSchema, text), undefined);
    }),
  );
});

Deno.test("the path of a tunnel is one segment a part, whatever the id contains", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (id) => {
      fc.pre(id.isWellFormed());
      const path = renderTunnelPath(id, STREAM_ID);
      const parts = path.split("/");
      assert.equal(parts.length, 7);
      assert.equal(decodeURIComponent(parts[4] ?? ""), id);
      assert.equal(parts[6], STREAM_ID);
      assert.equal(path, `${renderTunnelPath(id)}/${STREAM_ID}`);
    }),
  );
});
