/**
 * Frames with the page of a link in pages of another origin.
 *
 * @module
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createApiClient } from "../../support/api.ts";
import { testGrid } from "../../support/grid.ts";
import { hasBrowser, startBrowser } from "../page_scene.ts";

/** A page of another origin with a frame. */
interface Parent extends AsyncDisposable {
  readonly origin: string;
  /** Address that the frame shows. */
  framed: string;
}

async function startParent(): Promise<Parent> {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end(`<!DOCTYPE html><iframe src="${parent.framed}"></iframe>`);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address);
  const parent: Parent = {
    origin: `http://127.0.0.1:${address.port}`,
    framed: "",
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return parent;
}

/** Address of a frame whose document the browser has blocked. */
const BLOCKED = "chrome-error://chromewebdata/";

Deno.test({
  name:
    "only a page of an origin in live_view_frame_ancestors shows a link in a frame, and no other page of the server",
  ignore: !hasBrowser(),
  async fn() {
    await using allowed = await startParent();
    await using other = await startParent();
    await using grid = await testGrid({
      listen: true,
      settings: { live_view_frame_ancestors: [allowed.origin] },
    });
    const api = createApiClient(grid);
    await api.pool();
    const session = await api.session();
    const { body } = await api.call(
      "POST",
      `/sessions/${session.id}/live-links`,
    );
    const link = `${grid.url}/live${new URL(body.url).hash}`;
    await using browser = await startBrowser();
    const cases = [
      [allowed, link, true],
      [other, link, false],
      [allowed, `${grid.url}/ui/sessions/${session.id}/live`, false],
      [allowed, `${grid.url}/v1/sessions`, false],
    ] as const;
    for (const [parent, address, isShown] of cases) {
      parent.framed = address;
      const { page } = await browser.open(`${parent.origin}/`);
      const [frame] = page.mainFrame().childFrames();
      assert.ok(frame);
      if (isShown) {
        await frame.waitForSelector("main");
        assert.ok(frame.url().startsWith(`${grid.url}/live`), frame.url());
      } else assert.equal(frame.url(), BLOCKED, address);
    }
  },
});
