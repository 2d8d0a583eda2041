import assert from "node:assert/strict";
import { assertRefused } from "../../support/api.ts";
import { createFakeClock } from "../../support/clock.ts";
import { RESULTS } from "../../support/fake_page.ts";
import {
  captureScene,
  LATE_MS,
  scriptedScene,
  waitForStreamsClosed,
} from "./scene.ts";

Deno.test("a document that its client stops reading ends with the timeout, and its stream is closed", async () => {
  const clock = createFakeClock();
  let chunks = 0;
  const endless = { data: "x".repeat(262_144), eof: false };
  await using scene = await scriptedScene((method) => {
    const isRead = method === "IO.read";
    if (isRead) chunks++;
    return { result: isRead ? endless : RESULTS[method] };
  }, { grid: { clock } });
  const response = await scene.grid.request(
    `/v1/sessions/${scene.sessionId}/pdf`,
  );
  assert.equal(response.status, 200);
  const reader = response.body?.getReader();
  assert.equal((await reader?.read())?.value?.length, 262_144);
  // Only a few chunks are read ahead of the client.
  assert.ok(chunks <= 4, `${chunks} chunks`);
  clock.advance(LATE_MS);
  await waitForStreamsClosed(scene);
  await assert.rejects(async () => {
    while (!(await reader?.read())?.done);
  }, /does not respond within/);
});

Deno.test("a document whose client disconnects is not read further", async () => {
  await using scene = await captureScene({
    ...RESULTS,
    "Page.printToPDF": { stream: "1" },
  });
  const response = await scene.grid.request(
    `/v1/sessions/${scene.sessionId}/pdf`,
  );
  await response.body?.cancel();
  await waitForStreamsClosed(scene);
});

Deno.test("a document whose first chunk is empty is read to its end", async () => {
  const chunks = ["", "%PDF-", "", "1.4"];
  await using scene = await scriptedScene((method) => ({
    result: method === "IO.read"
      ? { data: chunks.shift(), eof: chunks.length === 0 }
      : RESULTS[method],
  }));
  const path = `/sessions/${scene.sessionId}/pdf`;
  const { status, text } = await scene.api.call("GET", path);
  assert.deepEqual([status, text], [200, "%PDF-1.4"]);
});

Deno.test("a document without data is rejected with browser_refused", async () => {
  await using scene = await captureScene({
    ...RESULTS,
    "IO.read": { data: "", eof: true },
  });
  const path = `/sessions/${scene.sessionId}/pdf`;
  const rejected = await scene.api.call("GET", path);
  assertRefused(
    rejected,
    { status: 409, code: "browser_refused" },
    /empty document/,
  );
  await waitForStreamsClosed(scene);
});
