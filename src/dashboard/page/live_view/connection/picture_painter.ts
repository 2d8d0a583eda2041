import { type ReadonlySignal, signal } from "@preact/signals";
import { parsePicture, type Picture, type PictureHead } from "./picture.ts";

/** Settings of a painter. */
export interface PainterOptions {
  /** Called after a picture is drawn, which asks for the next one. */
  readonly onDrawn: (seq: number) => void;
}

/** Draws pictures on a canvas: the newest one only, one at a time, and none while paused. */
export class PicturePainter {
  readonly #onDrawn: (seq: number) => void;
  readonly #shown = signal<PictureHead>();
  #canvas: HTMLCanvasElement | undefined;
  #newest: Picture | undefined;
  #isDrawing = false;
  #isPaused = false;
  /** Changes when what is being decoded must not be drawn any more. */
  #round = 0;

  constructor({ onDrawn }: PainterOptions) {
    this.#onDrawn = onDrawn;
  }

  /** The picture on the canvas. */
  get shown(): ReadonlySignal<PictureHead | undefined> {
    return this.#shown;
  }

  /** Sets the canvas; undefined while there is none. */
  set canvas(canvas: HTMLCanvasElement | undefined) {
    this.#canvas = canvas;
    void this.#draw();
  }

  /** Without drawing, no further picture is asked for, so that a hidden viewer costs nothing. */
  set isPaused(isPaused: boolean) {
    this.#isPaused = isPaused;
    void this.#draw();
  }

  /** Draws the picture of a binary message, in the place of one that still waits. */
  show(bytes: ArrayBuffer): void {
    const picture = parsePicture(bytes);
    if (!picture) return;
    this.#newest = picture;
    void this.#draw();
  }

  /** Forgets the picture that waits, as the connection that brought it has ended. */
  reset(): void {
    this.#newest = undefined;
    this.#round++;
  }

  /** Makes the canvas dark. */
  clear(): void {
    this.reset();
    this.#shown.value = undefined;
    if (this.#canvas) this.#canvas.width = this.#canvas.height = 1;
  }

  async #draw(): Promise<void> {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    while (this.#newest && this.#canvas && !this.#isPaused) {
      const { head, jpeg } = this.#newest;
      const round = this.#round;
      this.#newest = undefined;
      // One that cannot be decoded is skipped: without an answer, no further one would come.
      const bitmap = await decode(jpeg);
      if (bitmap && round === this.#round) this.#paint(bitmap, head);
      bitmap?.close();
      if (round === this.#round) this.#onDrawn(head.seq);
    }
    this.#isDrawing = false;
  }

  #paint(bitmap: ImageBitmap, head: PictureHead): void {
    const canvas = this.#canvas;
    const context = canvas?.getContext("2d", { alpha: false });
    if (!canvas || !context) return;
    const { width, height } = bitmap;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    context.drawImage(bitmap, 0, 0);
    this.#shown.value = head;
  }
}

async function decode(
  jpeg: Uint8Array<ArrayBuffer>,
): Promise<ImageBitmap | undefined> {
  try {
    return await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
  } catch {
    return undefined;
  }
}
