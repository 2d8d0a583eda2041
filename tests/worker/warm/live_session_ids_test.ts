import assert from "node:assert/strict";
import { LiveSessionIds } from "../../../src/worker/warm/live_session_ids.ts";

/** Ids with their sources, which a test may change. */
function scene() {
  const held = new Set<string>();
  const unassigned = new Set<string>();
  const sessions = new Map<string, string>();
  const ids = new LiveSessionIds(held, { unassigned, sessions });
  return { held, unassigned, sessions, ids };
}

Deno.test("LiveSessionIds has held sessions, warm browsers without a session, and those handed over to held sessions", () => {
  const { held, unassigned, sessions, ids } = scene();
  held.add("cold").add("session");
  unassigned.add("warm");
  sessions.set("given", "session").set("ended", "other");
  for (const id of ["cold", "warm", "given"]) assert.ok(ids.has(id), id);
  for (const id of ["ended", "other", "unknown"]) assert.ok(!ids.has(id), id);
});

Deno.test("LiveSessionIds does not have the browser that was started for a session which was handed another one", () => {
  const { held, sessions, ids } = scene();
  held.add("session");
  assert.ok(ids.has("session"));
  sessions.set("given", "session");
  assert.ok(!ids.has("session"));
  assert.ok(ids.has("given"));
});

Deno.test("LiveSessionIds is a live view", () => {
  const { held, unassigned, sessions, ids } = scene();
  assert.equal(ids.size, 0);
  unassigned.add("warm");
  assert.ok(ids.has("warm"));
  sessions.set("warm", "session");
  unassigned.delete("warm");
  assert.ok(!ids.has("warm"));
  held.add("session");
  assert.ok(ids.has("warm"));
});

Deno.test("LiveSessionIds lists the same ids that it has, in every way of iteration", () => {
  const { held, unassigned, sessions, ids } = scene();
  held.add("cold").add("session");
  unassigned.add("warm");
  sessions.set("given", "session");
  const expected = ["warm", "given", "cold"];
  assert.deepEqual([...ids], expected);
  assert.deepEqual([...ids.keys()], expected);
  assert.deepEqual([...ids.values()], expected);
  assert.deepEqual([...ids.entries()], expected.map((id) => [id, id]));
  const visited: string[] = [];
  ids.forEach((id) => visited.push(id));
  assert.deepEqual(visited, expected);
  assert.equal(ids.size, 3);
});
