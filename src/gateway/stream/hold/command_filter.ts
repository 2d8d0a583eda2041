import { CommandScanner } from "./command_scanner.ts";
import {
  type FrameHeader,
  MAX_HEADER_BYTES,
  OPCODES,
  parseFrameHeader,
  unmask,
} from "./frame_header.ts";
import { isHeldCommand } from "./held_commands.ts";
import { encodeHeldReply } from "./held_reply.ts";
import { MessageInflater } from "./message_inflater.ts";

/** Bytes of a message that are kept until its method is known. Without one among them the message is held. */
const MAX_UNDECIDED_BYTES = 64 * 1_024;

/** The result of filtering bytes of a client. */
export interface Filtered {
  /** Bytes for the browser, unchanged. They may be views of the bytes that were filtered. */
  readonly forwarded: Uint8Array[];
  /** Frames for the client, which answer held commands. */
  readonly replies: Uint8Array[];
}

/** Options of {@linkcode CommandFilter}. */
export interface CommandFilterOptions {
  /** Text of the error that answers held commands. */
  readonly message: string;
  /** True if client and browser have agreed on `permessage-deflate`, without context takeover by the client. */
  readonly isDeflated: boolean;
}

/** A message whose frames arrive. */
interface Message {
  readonly scanner: CommandScanner;
  readonly inflater: MessageInflater | undefined;
  verdict: "undecided" | "passes" | "held";
  /** The frames so far of a message that is undecided. */
  readonly frames: Uint8Array[];
  size: number;
}

/** A frame whose payload arrives. */
interface Frame extends FrameHeader {
  /** Length of the payload so far. */
  received: number;
}

/**
 * Separates the commands of a client that are held from those that pass, in the bytes of its WebSocket. It begins
 * between two messages.
 *
 * Frames that pass are forwarded byte for byte, with their masks and fragments. Held commands are answered when they
 * have arrived, and never reach the browser. It keeps at most 64 KB of a message.
 */
export class CommandFilter {
  readonly #isDeflated: boolean;
  #error: string;
  readonly #header = new Uint8Array(MAX_HEADER_BYTES);
  #headerLength = 0;
  #frame: Frame | undefined;
  #message: Message | undefined;
  #isReleased = false;

  constructor({ message, isDeflated }: CommandFilterOptions) {
    this.#isDeflated = isDeflated;
    this.#error = message;
  }

  /** True between two messages, where the filter may be removed. */
  get isBetweenMessages(): boolean {
    return this.#headerLength === 0 && !this.#frame && !this.#message;
  }

  /** Filters the next bytes. */
  filter(chunk: Uint8Array): Filtered {
    const filtered: Filtered = { forwarded: [], replies: [] };
    for (let at = 0; at < chunk.length;) {
      at = this.#frame
        ? this.#readPayload(this.#frame, chunk.subarray(at), filtered) + at
        : this.#readHeader(chunk, at, filtered);
    }
    return filtered;
  }

  /**
   * Lets all later messages pass, and the one that has begun unless it is known to be held. Returns its bytes so far.
   */
  release(): Filtered {
    const filtered: Filtered = { forwarded: [], replies: [] };
    this.#isReleased = true;
    if (this.#message?.verdict === "undecided") {
      pass(this.#message, filtered);
    }
    return filtered;
  }

  /** Holds later messages again after a release, or with another message. */
  renew(message: string): void {
    this.#isReleased = false;
    this.#error = message;
  }

  /** Reads a header as far as it is in the chunk, from `at`. Returns the position after it. */
  #readHeader(chunk: Uint8Array, at: number, filtered: Filtered): number {
    this.#header[this.#headerLength++] = chunk[at] ?? 0;
    const bytes = this.#header.subarray(0, this.#headerLength);
    const header = parseFrameHeader(bytes);
    if (!header) return at + 1;
    this.#headerLength = 0;
    const frame = this.#frame = { ...header, received: 0 };
    if (header.opcode < OPCODES.control) this.#message ??= this.#begin(header);
    this.#handle(new Uint8Array(bytes), filtered);
    if (header.length === 0) this.#endFrame(frame, filtered);
    return at + 1;
  }

  /** Reads a payload as far as it is in `bytes`. Returns the number of its bytes. */
  #readPayload(frame: Frame, bytes: Uint8Array, filtered: Filtered): number {
    const part = bytes.subarray(0, frame.length - frame.received);
    const isScanned = frame.opcode < OPCODES.control &&
      this.#message?.verdict !== "passes";
    if (isScanned) {
      this.#scan(unmask(part, frame.mask, frame.received), filtered);
    }
    frame.received += part.length;
    this.#handle(part, filtered);
    if (frame.received === frame.length) this.#endFrame(frame, filtered);
    return part.length;
  }

  #begin({ opcode, isCompressed }: FrameHeader): Message {
    const scanner = new CommandScanner();
    // The browser rejects binary messages, frames that continue none, and compression without agreement.
    const isCommand = opcode === OPCODES.text &&
      (!isCompressed || this.#isDeflated);
    return {
      scanner,
      inflater: isCompressed
        ? new MessageInflater((bytes) => scanner.read(bytes))
        : undefined,
      verdict: isCommand && !this.#isReleased ? "undecided" : "passes",
      frames: [],
      size: 0,
    };
  }

  #scan(payload: Uint8Array, filtered: Filtered): void {
    const message = this.#message;
    if (!message) return;
    (message.inflater ?? { write: (part) => message.scanner.read(part) })
      .write(payload);
    decide(message, filtered);
  }

  /** Forwards, keeps or drops bytes of the current frame. Control frames pass, also between frames of a held message. */
  #handle(bytes: Uint8Array, filtered: Filtered): void {
    const isControl = (this.#frame?.opcode ?? 0) >= OPCODES.control;
    const message = isControl ? undefined : this.#message;
    if (!message || message.verdict === "passes") {
      filtered.forwarded.push(bytes);
    } else if (message.verdict === "undecided") {
      // A copy: the slice() of a Buffer is a view.
      message.frames.push(new Uint8Array(bytes));
      message.size += bytes.length;
      if (message.size > MAX_UNDECIDED_BYTES) hold(message);
    }
  }

  #endFrame(frame: Frame, filtered: Filtered): void {
    this.#frame = undefined;
    const message = this.#message;
    const isEnd = message && frame.isFinal && frame.opcode < OPCODES.control;
    if (!isEnd) return;
    this.#message = undefined;
    message.inflater?.end();
    decide(message, filtered);
    // Without a method it is no command, and the browser answers it with an error.
    if (message.verdict === "undecided") pass(message, filtered);
    if (message.verdict !== "held") return;
    filtered.replies.push(
      encodeHeldReply(message.scanner, this.#error),
    );
  }
}

function decide(message: Message, filtered: Filtered): void {
  const { scanner: { method }, verdict } = message;
  if (method === undefined || verdict !== "undecided") return;
  if (isHeldCommand(method)) hold(message);
  else pass(message, filtered);
}

function hold(message: Message): void {
  message.verdict = "held";
  message.frames.length = 0;
}

function pass(message: Message, { forwarded }: Filtered): void {
  message.verdict = "passes";
  for (const bytes of message.frames.splice(0)) forwarded.push(bytes);
}
