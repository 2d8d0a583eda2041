import { Inflate } from "fflate";

/** Number of bytes that are inflated at once: 1 KB becomes at most 1 MB. */
const STEP_BYTES = 1_024;

/** The end of each compressed message, which is not sent. */
const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

/**
 * Inflates one message of `permessage-deflate` without context takeover, in parts of any length. It holds at most 2 MB.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7692#section-7.2.2 RFC 7692, 7.2.2}
 */
export class MessageInflater {
  readonly #inflate: Inflate;
  #hasFailed = false;

  /** Calls `onBytes` with the inflated bytes before a write returns. */
  constructor(onBytes: (bytes: Uint8Array) => void) {
    this.#inflate = new Inflate(onBytes);
  }

  /** Inflates the next bytes. After a fault in the data it does nothing. */
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += STEP_BYTES) {
      if (this.#hasFailed) return;
      try {
        this.#inflate.push(bytes.subarray(at, at + STEP_BYTES));
      } catch {
        this.#hasFailed = true;
      }
    }
  }

  /** Inflates the end of the message. */
  end(): void {
    this.write(TAIL);
  }
}
