import type { FrameFollower } from "../frame_follower.ts";
import type {
  CommandFilter,
  CommandFilterOptions,
  Filtered,
} from "./command_filter.ts";

/** Options of {@linkcode ClientHold}. */
export interface ClientHoldOptions extends CommandFilterOptions {
  /** State of the client's frames. */
  readonly frames: FrameFollower;
}

/**
 * Holds commands of a client whose stream was joined before. What the client has begun to send passes; its next message
 * is filtered.
 *
 * ```
 * loading --> rest of a message passes --> filtered --> released: messages pass --> over, between two messages
 * ```
 *
 * The filter is loaded by the first hold of a thread. Bytes that arrive until then are kept: pause the client.
 */
export class ClientHold {
  /** Resolves when the filter is loaded. */
  readonly loaded: Promise<void>;
  readonly #frames: FrameFollower;
  #filter: CommandFilter | undefined;
  #early: Uint8Array[] = [];
  #isReleased = false;
  #message: string;

  constructor({ frames, message, isDeflated }: ClientHoldOptions) {
    this.#frames = frames;
    this.#message = message;
    this.loaded = import("./command_filter.ts").then(({ CommandFilter }) => {
      this.#filter = new CommandFilter({ message: this.#message, isDeflated });
      if (this.#isReleased) this.#filter.release();
    });
  }

  /** True until the filter is loaded. */
  get isLoading(): boolean {
    return this.#filter === undefined;
  }

  /** True once it is released and between two messages: it may be removed. */
  get isOver(): boolean {
    return this.#isReleased && this.#frames.isBetweenMessages &&
      this.#early.length === 0 && this.#filter?.isBetweenMessages === true;
  }

  /** Filters the next bytes, and those that have arrived before the filter was loaded. */
  filter(chunk: Uint8Array): Filtered {
    if (!this.#filter) {
      if (chunk.length > 0) this.#early.push(new Uint8Array(chunk));
      return { forwarded: [], replies: [] };
    }
    const forwarded: Uint8Array[] = [];
    const replies: Uint8Array[] = [];
    for (const bytes of [...this.#early.splice(0), chunk]) {
      const begun = this.#frames.followToMessage(bytes);
      const filtered = this.#filter.filter(bytes.subarray(begun));
      if (begun > 0) forwarded.push(bytes.subarray(0, begun));
      forwarded.push(...filtered.forwarded);
      replies.push(...filtered.replies);
    }
    return { forwarded, replies };
  }

  /** Lets later messages pass. Returns the bytes that can be forwarded at once. */
  release(): Filtered {
    this.#isReleased = true;
    return this.#filter?.release() ?? { forwarded: [], replies: [] };
  }

  /** Holds commands again after a release, or with another message. */
  renew(message: string): void {
    this.#isReleased = false;
    this.#message = message;
    this.#filter?.renew(message);
  }
}
