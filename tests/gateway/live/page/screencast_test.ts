import assert from "node:assert/strict";
import type { BrowserCommand } from "../../../../src/gateway/live/browser_commands.ts";
import { PicturePacing } from "../../../../src/gateway/live/page/pacing.ts";
import {
  Screencast,
  type ScreencastViewer,
} from "../../../../src/gateway/live/page/screencast.ts";
import { createFakeClock } from "../../../support/clock.ts";
import { settle } from "../../../support/event_loop.ts";

const FRAME = {
  data: btoa("jpeg"),
  sessionId: 1,
  metadata: {
    offsetTop: 0,
    pageScaleFactor: 1,
    deviceWidth: 1_280,
    deviceHeight: 720,
  },
};

function setUp() {
  const clock = createFakeClock();
  const commands: BrowserCommand[] = [];
  const hangs: boolean[] = [];
  let seq = 0;
  const screencast = new Screencast({
    clock,
    post: (command) => void commands.push(command),
    nextSeq: () => ++seq,
    onHanging: (isHanging) => void hangs.push(isHanging),
  });
  return {
    screencast,
    hangs,
    /** Returns the methods since the last call. */
    takeMethods: () => commands.splice(0).map(({ method }) => method),
    takeCommands: () => commands.splice(0),
    async advance(ms: number): Promise<void> {
      clock.advance(ms);
      await settle();
    },
    createViewer(
      { width = 1_280, height = 720, maxFps = 10 } = {},
    ): ScreencastViewer & { readonly sent: number[] } & {
      readonly pacing: PicturePacing;
    } {
      const sent: number[] = [];
      const pacing = new PicturePacing(({ seq }) => sent.push(seq), clock);
      pacing.maxFps = maxFps;
      return { size: { width, height }, pacing, sent };
    },
  };
}

Deno.test("a page is cast once for all its viewers, and not at all without one", () => {
  const { screencast, createViewer, takeMethods } = setUp();
  assert.deepEqual(takeMethods(), []);
  const [one, other] = [createViewer(), createViewer()];
  screencast.add(one);
  screencast.add(other);
  assert.deepEqual(takeMethods(), ["Page.startScreencast"]);
  screencast.receiveFrame(FRAME);
  assert.deepEqual([one.sent, other.sent], [[1], [1]]);
  screencast.remove(one);
  takeMethods();
  screencast.remove(other);
  assert.deepEqual(takeMethods(), ["Page.stopScreencast"]);
  screencast[Symbol.dispose]();
});

Deno.test("a viewer of a still page receives its picture at once", () => {
  const { screencast, createViewer } = setUp();
  screencast.add(createViewer());
  screencast.receiveFrame(FRAME);
  const late = createViewer();
  screencast.add(late);
  assert.deepEqual(late.sent, [1]);
  screencast[Symbol.dispose]();
});

Deno.test("the picture fits the largest viewer, and changes with it", () => {
  const { screencast, createViewer, takeCommands } = setUp();
  const large = createViewer({ width: 1_700, height: 900 });
  screencast.add(createViewer({ width: 390, height: 300 }));
  screencast.add(large);
  screencast.remove(large);
  assert.deepEqual(
    takeCommands().filter(({ method }) => method === "Page.startScreencast")
      .map(({ params }) => params?.["maxWidth"]),
    [480, 1_920, 480],
  );
  screencast[Symbol.dispose]();
});

Deno.test("frames are acknowledged at the rate of the fastest viewer, when one is ready", async () => {
  const { screencast, createViewer, takeMethods, advance } = setUp();
  const viewer = createViewer({ maxFps: 10 });
  screencast.add(viewer);
  takeMethods();
  screencast.receiveFrame(FRAME);
  assert.deepEqual(takeMethods(), []);
  viewer.pacing.acknowledge(1);
  screencast.viewerIsReady();
  assert.deepEqual(takeMethods(), ["Page.screencastFrameAck"]);
  screencast.receiveFrame(FRAME);
  await advance(90);
  viewer.pacing.acknowledge(2);
  screencast.viewerIsReady();
  assert.deepEqual(takeMethods(), []);
  await advance(10);
  assert.deepEqual(takeMethods(), ["Page.screencastFrameAck"]);
  screencast[Symbol.dispose]();
});

Deno.test("a hidden page, which sends one picture at each start, is started again while it is viewed", async () => {
  const { screencast, createViewer, takeMethods, advance } = setUp();
  screencast.add(createViewer());
  screencast.setVisible({ visible: false });
  screencast.receiveFrame(FRAME);
  takeMethods();
  await advance(2_000);
  assert.deepEqual(takeMethods(), [
    "Page.stopScreencast",
    "Page.startScreencast",
  ]);
  screencast.setVisible({ visible: false });
  screencast.receiveFrame(FRAME);
  await advance(2_000);
  assert.equal(takeMethods().length, 2);
  screencast.receiveFrame(FRAME);
  screencast.setVisible({ visible: true });
  await advance(10_000);
  assert.deepEqual(takeMethods(), []);
  screencast[Symbol.dispose]();
});

Deno.test("a page without a first picture is cast again, and counts as hanging until one comes", async () => {
  const { screencast, createViewer, advance, hangs, takeMethods } = setUp();
  screencast.add(createViewer());
  takeMethods();
  await advance(500);
  const again = ["Page.stopScreencast", "Page.startScreencast"];
  assert.deepEqual(takeMethods(), again);
  await advance(1_000);
  assert.deepEqual(takeMethods(), again);
  assert.deepEqual(hangs, []);
  await advance(2_000);
  assert.deepEqual(hangs, [true]);
  screencast.receiveFrame(FRAME);
  assert.deepEqual(hangs, [true, false]);
  screencast[Symbol.dispose]();
});

Deno.test("a page that has navigated is cast again if no picture follows", async () => {
  const { screencast, createViewer, advance, takeMethods } = setUp();
  const viewer = createViewer();
  screencast.add(viewer);
  screencast.receiveFrame(FRAME);
  viewer.pacing.acknowledge(1);
  screencast.viewerIsReady();
  await advance(60_000);
  takeMethods();
  screencast.expectPicture();
  await advance(500);
  assert.deepEqual(takeMethods(), [
    "Page.stopScreencast",
    "Page.startScreencast",
  ]);
  screencast[Symbol.dispose]();
});
