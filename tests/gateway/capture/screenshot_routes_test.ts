import assert from "node:assert/strict";
import { assertRefused } from "../../support/api.ts";
import { fakePage, RESULTS } from "../../support/fake_page.ts";
import { gatewayScene } from "../scene.ts";
import { captureScene, waitForStreamsClosed } from "./scene.ts";

Deno.test("a screenshot has the requested format and shows the requested part of the page", async () => {
  const commands: { method: string; params: Record<string, unknown> }[] = [];
  await using scene = await gatewayScene({
    upstream: {
      page: (socket) => {
        socket.on("message", (data) => {
          commands.push(JSON.parse(String(data)));
        });
        fakePage({
          ...RESULTS,
          "Page.getLayoutMetrics": {
            cssContentSize: { width: 800, height: 16_384 },
          },
          "Runtime.evaluate": { result: { value: 2 } },
        })(socket);
      },
    },
  });
  const path = `/sessions/${scene.sessionId}/screenshot`;
  const { headers } = await scene.api.call(
    "GET",
    `${path}?format=jpeg&quality=7&full_page=true&target_id=PAGE`,
  );
  assert.equal(headers.get("content-type"), "image/jpeg");
  const { method, params } = commands.at(-1) ?? {};
  assert.equal(method, "Page.captureScreenshot");
  assert.deepEqual(params, {
    format: "jpeg",
    quality: 7,
    captureBeyondViewport: true,
    // Chrome returns no usable image for more pixels.
    clip: { x: 0, y: 0, width: 800, height: 16_384, scale: 0.5 },
  });
  for (const wrong of ["format=gif", "quality=101", "full_page=perhaps"]) {
    assertRefused(await scene.api.call("GET", `${path}?${wrong}`), {
      status: 422,
      code: "invalid_request",
    });
  }
});

for (
  const [path, words] of [
    [
      "screenshot",
      /empty png picture, expected a viewport of at most 16384 pixels/,
    ],
    [
      "screenshot?format=webp&full_page=true",
      /empty webp picture, expected format=png or jpeg.* 16383 pixels/,
    ],
  ] as const
) {
  Deno.test(`${path} without data from the browser is rejected with browser_refused`, async () => {
    await using scene = await captureScene({
      ...RESULTS,
      "Page.captureScreenshot": { data: "" },
    });
    const rejected = await scene.api.call(
      "GET",
      `/sessions/${scene.sessionId}/${path}`,
    );
    assertRefused(rejected, { status: 409, code: "browser_refused" }, words);
    await waitForStreamsClosed(scene);
  });
}
