import assert from "node:assert/strict";
import type { CdpClient } from "../support/cdp_client.ts";
import { dockerTest } from "../support/docker.ts";
import { eventually } from "../support/eventually.ts";
import { type BrowserGrid, browserGrid } from "./browser_grid.ts";

const WIDTH = 1100;
const HEIGHT = 700;

/** Height of a window's bars. */
const BARS = 87;

const SEEN =
  "[screen.width, screen.height, outerWidth, outerHeight, innerWidth, innerHeight, devicePixelRatio]";

/** Reads a pixel that WebGL has drawn. */
const WEBGL_PIXEL = `(() => {
  const gl = document.createElement("canvas").getContext("webgl");
  if (!gl) return "no WebGL";
  gl.clearColor(1, 0, 0, 1);
  gl.clear(gl.COLOR_BUFFER_BIT);
  const pixel = new Uint8Array(4);
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
  return pixel.join();
})()`;

type Bounds = Readonly<Record<string, number | string>>;

const WHOLE: Bounds = { left: 0, top: 0, width: WIDTH, height: HEIGHT };
const SMALLER: Bounds = { left: 10, top: 20, width: 700, height: 500 };

/** Switches between the states of a window, in which page and browser must report the same bounds. */
async function assertWindows(page: CdpClient, scale: number): Promise<void> {
  const { windowId, bounds } = await page.call("Browser.getWindowForTarget");
  assert.deepEqual(bounds, { ...WHOLE, windowState: "normal" });
  const shows = async (expected: Bounds, bars = BARS) => {
    const { width, height } = expected;
    const seen = [WIDTH, HEIGHT, width, height, width, Number(height) - bars];
    let last: unknown;
    await eventually(
      `page and browser see ${JSON.stringify(expected)}`,
      async () => {
        const { bounds } = await page.call("Browser.getWindowBounds", {
          windowId,
        });
        last = [await page.evaluate(SEEN), bounds];
        assert.deepEqual(last, [[...seen, scale], expected]);
        return true;
      },
      { withinMs: 10_000 },
    );
  };
  const become = async (asked: Bounds, expected: Bounds, bars?: number) => {
    await page.call("Browser.setWindowBounds", { windowId, bounds: asked });
    await shows(expected, bars);
  };
  const normal = { windowState: "normal" };
  const [maximized, fullscreen] = ["maximized", "fullscreen"].map((
    windowState,
  ) => ({ windowState }));
  await shows({ ...WHOLE, ...normal });
  await become(SMALLER, { ...SMALLER, ...normal });
  await become({ ...maximized }, { ...WHOLE, ...maximized });
  await become(normal, { ...SMALLER, ...normal });
  await become(WHOLE, { ...WHOLE, ...normal });
  await become({ ...fullscreen }, { ...WHOLE, ...fullscreen }, 0);
  await become(normal, { ...WHOLE, ...normal });
}

async function assertBrowser(
  grid: BrowserGrid,
  { headless, scale }: { readonly headless: boolean; readonly scale: number },
): Promise<void> {
  await using page = await grid.page({
    headless,
    screen: { width: WIDTH, height: HEIGHT, scale },
  });
  assert.equal(await page.evaluate(WEBGL_PIXEL), "255,0,0,255");
  await assertWindows(page, scale);
}

/** Tests headless and headful browsers at both scales concurrently, since they mostly wait for drawing. */
async function assertBrowsers(provider: "local" | "docker"): Promise<void> {
  await using grid = await browserGrid(provider);
  const cases = [true, false].flatMap((headless) =>
    [1, 2].map((scale) => ({ headless, scale }))
  );
  await Promise.all(cases.map((each) => assertBrowser(grid, each)));
}

Deno.test("local browsers have the requested screen, fill it, draw WebGL and obey setWindowBounds", () =>
  assertBrowsers("local"));

dockerTest(
  "browsers in containers have the requested screen, fill it, draw WebGL and obey setWindowBounds",
  () => assertBrowsers("docker"),
);
