import assert from "node:assert/strict";
import { assertRefused } from "../../support/api.ts";
import { RESULTS } from "../../support/fake_page.ts";
import { captureScene, scriptedScene, waitForStreamsClosed } from "./scene.ts";

Deno.test("the content of a page that navigates during the capture is the content of the new page", async () => {
  const methods: string[] = [];
  await using scene = await scriptedScene((method) => {
    methods.push(method);
    const error = { code: -32000, message: "Could not find node" };
    return methods.length === 2 ? { error } : { result: RESULTS[method] };
  });
  const path = `/sessions/${scene.sessionId}/content`;
  assert.equal((await scene.api.call("GET", path)).status, 200);
  assert.equal(methods.length, 4);
});

Deno.test("content without data from the browser is rejected with browser_refused", async () => {
  await using scene = await captureScene({
    ...RESULTS,
    "DOM.getOuterHTML": { outerHTML: "" },
  });
  const path = `/sessions/${scene.sessionId}/content`;
  const rejected = await scene.api.call("GET", path);
  assertRefused(
    rejected,
    { status: 409, code: "browser_refused" },
    /empty document/,
  );
  await waitForStreamsClosed(scene);
});
