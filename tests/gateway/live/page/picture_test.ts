import assert from "node:assert/strict";
import { PICTURE_HEAD_BYTES } from "../../../../src/apps/live/schemas/live_messages.ts";
import { encodePicture } from "../../../../src/gateway/live/page/picture.ts";

Deno.test("a picture has its number, the page's size, scale and offset, and the JPEG unchanged", () => {
  const jpeg = Uint8Array.from({ length: 1_000 }, (_, at) => at % 256);
  const { bytes } = encodePicture(70_000, {
    data: jpeg.toBase64(),
    sessionId: 1,
    metadata: {
      offsetTop: 12.5,
      pageScaleFactor: 0.5,
      deviceWidth: 390.4,
      deviceHeight: 100_000,
    },
  });
  const head = new DataView(bytes.buffer, bytes.byteOffset);
  assert.equal(head.getUint8(0), 1);
  assert.equal(head.getUint32(1), 70_000);
  assert.equal(head.getUint16(5), 390);
  assert.equal(head.getUint16(7), 65_535);
  assert.equal(head.getFloat32(9), 0.5);
  assert.equal(head.getFloat32(13), 12.5);
  assert.deepEqual(bytes.subarray(PICTURE_HEAD_BYTES), jpeg);
});
