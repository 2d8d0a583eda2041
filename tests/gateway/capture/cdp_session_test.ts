import { assertRefused } from "../../support/api.ts";
import { RESULTS } from "../../support/fake_page.ts";
import { gatewayScene } from "../scene.ts";
import { captureScene, waitForStreamsClosed } from "./scene.ts";

for (
  const [behaviour, results, words] of [
    [
      "rejects a command",
      {},
      /says "'DOM.getDocument' wasn't found"/,
    ],
    ["sends too much data", {
      ...RESULTS,
      "DOM.getOuterHTML": { outerHTML: "x".repeat(65 * 1024 * 1024) },
    }, /more than 67108864 bytes/],
  ] as const
) {
  Deno.test(`a capture of a browser that ${behaviour} is rejected with browser_refused and the reason`, async () => {
    await using scene = await captureScene(results);
    const path = `/sessions/${scene.sessionId}/content`;
    const rejected = await scene.api.call("GET", path);
    assertRefused(rejected, { status: 409, code: "browser_refused" }, words);
    await waitForStreamsClosed(scene);
  });
}

Deno.test("a capture of a browser that closes the connection or sends an invalid message is rejected with worker_unreachable", async () => {
  for (const message of ["", "{", '{"id":"1"}', '{"id":1,"result":7}']) {
    await using scene = await gatewayScene({
      upstream: {
        page: (socket) =>
          void socket.on("message", () => {
            if (message === "") socket.terminate();
            else socket.send(message);
          }),
      },
    });
    const path = `/sessions/${scene.sessionId}/content`;
    assertRefused(await scene.api.call("GET", path), {
      status: 503,
      code: "worker_unreachable",
    });
    await waitForStreamsClosed(scene);
  }
});
