import { Buffer } from "node:buffer";
import { z } from "@hono/zod-openapi";
import { PICTURE_HEAD_BYTES } from "../../../apps/live/schemas/live_messages.ts";

/** First byte of a picture. */
const PICTURE = 1;

/** Largest width and height that fit into a picture's head. */
const MAX_SIDE = 0xffff;

/** Parameters of `Page.screencastFrame`. */
export const frameSchema = z.object({
  data: z.string(),
  sessionId: z.int(),
  metadata: z.object({
    offsetTop: z.number(),
    pageScaleFactor: z.number(),
    deviceWidth: z.number(),
    deviceHeight: z.number(),
  }),
});

/** A frame of a screencast. */
export type Frame = z.infer<typeof frameSchema>;

/** A picture as viewers receive it. */
export interface Picture {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** Encodes a frame for viewers, once for all of them. */
export function encodePicture(seq: number, { data, metadata }: Frame): Picture {
  const jpeg = Buffer.from(data, "base64");
  const bytes = new Uint8Array(PICTURE_HEAD_BYTES + jpeg.length);
  const head = new DataView(bytes.buffer, 0, PICTURE_HEAD_BYTES);
  head.setUint8(0, PICTURE);
  head.setUint32(1, seq);
  head.setUint16(5, clampSide(metadata.deviceWidth));
  head.setUint16(7, clampSide(metadata.deviceHeight));
  head.setFloat32(9, metadata.pageScaleFactor);
  head.setFloat32(13, metadata.offsetTop);
  bytes.set(jpeg, PICTURE_HEAD_BYTES);
  return { seq, bytes };
}

function clampSide(side: number): number {
  return Math.min(MAX_SIDE, Math.max(0, Math.round(side)));
}
