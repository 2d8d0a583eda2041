import type { Buffer } from "node:buffer";
import { MAX_UPLOAD_BYTES } from "../../apps/live/schemas/live_messages.ts";
import type { ViewerFile } from "./page/file_chooser.ts";

/** A file that a viewer announces. */
interface AnnouncedFile {
  readonly name: string;
  readonly mime: string;
  readonly size: number;
}

/** Files of one choice. */
interface Upload {
  /** Id of the file chooser. */
  readonly id: number;
  readonly files: readonly ViewerFile[];
}

/** Collects the files that a viewer sends for a file chooser: one binary message each, in the announced order. */
export class Uploads {
  #id = 0;
  #expected: AnnouncedFile[] = [];
  #files: ViewerFile[] = [];

  /** Begins a choice, and forgets an incomplete one. Returns the reason for which it is rejected. */
  begin(id: number, files: readonly AnnouncedFile[]): string | undefined {
    this.#id = id;
    this.#files = [];
    const total = files.reduce((sum, { size }) => sum + size, 0);
    this.#expected = total > MAX_UPLOAD_BYTES ? [] : [...files];
    return total > MAX_UPLOAD_BYTES
      ? `The files have ${total} bytes together, expected at most ${MAX_UPLOAD_BYTES}.`
      : undefined;
  }

  /** Adds the bytes of the next file. Returns all files after the last one. */
  add(bytes: Buffer): Upload | "unexpected" | undefined {
    const next = this.#expected.shift();
    if (next?.size !== bytes.length) {
      this.#expected = [];
      this.#files = [];
      return "unexpected";
    }
    const { name, mime } = next;
    this.#files.push({ name, mime, base64: bytes.toString("base64") });
    if (this.#expected.length > 0) return undefined;
    const files = this.#files;
    this.#files = [];
    return { id: this.#id, files };
  }
}
