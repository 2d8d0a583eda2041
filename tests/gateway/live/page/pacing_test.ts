import assert from "node:assert/strict";
import { PicturePacing } from "../../../../src/gateway/live/page/pacing.ts";
import { createFakeClock } from "../../../support/clock.ts";
import { settle } from "../../../support/event_loop.ts";

function setUp() {
  const clock = createFakeClock();
  const sent: number[] = [];
  const pacing = new PicturePacing(({ seq }) => sent.push(seq), clock);
  const offer = (seq: number) =>
    pacing.offer({ seq, bytes: new Uint8Array(1) });
  async function advance(ms: number): Promise<void> {
    clock.advance(ms);
    await settle();
  }
  return { pacing, sent, offer, advance };
}

Deno.test("a viewer that has not drawn the last picture receives none, and then only the newest", async () => {
  const { pacing, sent, offer, advance } = setUp();
  offer(1);
  await advance(1_000);
  offer(2);
  offer(3);
  assert.deepEqual(sent, [1]);
  assert.ok(!pacing.isReady);
  pacing.acknowledge(1);
  assert.deepEqual(sent, [1, 3]);
});

Deno.test("pictures are sent no faster than the viewer's rate, and the last one is not lost", async () => {
  const { pacing, sent, offer, advance } = setUp();
  pacing.maxFps = 10;
  offer(1);
  pacing.acknowledge(1);
  offer(2);
  await advance(50);
  assert.deepEqual(sent, [1]);
  offer(3);
  await advance(50);
  assert.deepEqual(sent, [1, 3]);
});

Deno.test("an acknowledgement of a picture that was not sent last is ignored", () => {
  const { pacing, sent, offer } = setUp();
  offer(1);
  offer(2);
  pacing.acknowledge(99);
  assert.deepEqual(sent, [1]);
});

Deno.test("a viewer that has changed its page receives no picture of the page before", async () => {
  const { pacing, sent, offer, advance } = setUp();
  offer(1);
  offer(2);
  pacing.reset();
  pacing.acknowledge(1);
  await advance(1_000);
  assert.deepEqual(sent, [1]);
});
