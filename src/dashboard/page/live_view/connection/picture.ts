import { PICTURE_HEAD_BYTES } from "../../../../apps/live/schemas/live_messages.ts";

/** First byte of a message with a picture. */
const PICTURE = 1;

/** Describes a picture: its number, and the part of the page that it shows. */
export interface PictureHead {
  readonly seq: number;
  /** Width of the visual viewport at scale 1, in CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** Scale of the page. */
  readonly scale: number;
  /** Height of what stands above the page in the picture, in CSS pixels. */
  readonly top: number;
}

/** A picture of the page. */
export interface Picture {
  readonly head: PictureHead;
  readonly jpeg: Uint8Array<ArrayBuffer>;
}

/** A position or a size, in CSS pixels. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Returns the picture of a binary message; undefined if it is none. */
export function parsePicture(bytes: ArrayBuffer): Picture | undefined {
  if (bytes.byteLength <= PICTURE_HEAD_BYTES) return undefined;
  const view = new DataView(bytes);
  if (view.getUint8(0) !== PICTURE) return undefined;
  const head = {
    seq: view.getUint32(1),
    width: view.getUint16(5),
    height: view.getUint16(7),
    scale: view.getFloat32(9) || 1,
    top: view.getFloat32(13),
  };
  return { head, jpeg: new Uint8Array(bytes, PICTURE_HEAD_BYTES) };
}

/**
 * Returns the position in the page of a point in the shown picture. Points outside become the nearest point inside.
 *
 * @param shown Size at which the picture is shown.
 */
export function toPage(point: Point, shown: Point, head: PictureHead): Point {
  const { width, height, scale, top } = head;
  const x = point.x / shown.x * width;
  const y = point.y / shown.y * height;
  return {
    x: round(clamp(x, 0, width - 1) / scale),
    y: round((clamp(y, top, height - 1) - top) / scale),
  };
}

/** Returns the point in the shown picture of a position in the page: the reverse of {@linkcode toPage}. */
export function toShown(point: Point, shown: Point, head: PictureHead): Point {
  const { width, height, scale, top } = head;
  return {
    x: point.x * scale / width * shown.x,
    y: (point.y * scale + top) / height * shown.y,
  };
}

/** Returns the largest size with the ratio of `content` that fits into `area`. */
export function fit(content: Point, area: Point): Point {
  const factor = Math.min(area.x / content.x, area.y / content.y);
  return {
    x: Math.max(1, Math.round(content.x * factor)),
    y: Math.max(1, Math.round(content.y * factor)),
  };
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), Math.max(min, max));
}

/** Rounds to hundredths, so that messages are short. */
function round(value: number): number {
  return Math.round(value * 100) / 100;
}
