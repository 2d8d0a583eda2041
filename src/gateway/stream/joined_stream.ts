import type { CloseReason } from "./close_frame.ts";

/** Number of bytes of a stream in each direction. */
export interface ByteCounts {
  /** Bytes from the client. */
  bytesIn: number;
  /** Bytes from the browser. */
  bytesOut: number;
}

/** Why a stream ended. */
export interface StreamEnd extends Readonly<ByteCounts> {
  readonly by: "client" | "browser" | "grid";
}

/** A client's socket that is joined with a browser's. */
export interface JoinedStream {
  /** Resolves when both sockets are closed. Never rejects. */
  readonly ended: Promise<StreamEnd>;
  /**
   * Returns the number of bytes so far in both directions, without pings and their responses. A change means activity.
   */
  countBytes(): number;
  /** Returns the same by direction. */
  readBytes(): Readonly<ByteCounts>;
  /** Sets the close reason for an end of the browser's side that the grid ordered. */
  expectEnd(reason: CloseReason): void;
  /** Closes the stream from the grid's side; the client receives a close frame. */
  close(reason: CloseReason): void;
  /** Pings the client, if it supports pings and reads, and no frame of the browser is incomplete. */
  ping(): void;
  /**
   * Answers commands of the client that act on pages with an error that has this message, from its next message on. All
   * other commands pass.
   */
  hold(message: string): void;
  /** Lets all commands pass again. Commands that were answered are not repeated. */
  release(): void;
}

/** Options of a stream. */
export interface StreamOptions {
  /** True if the client may be pinged. @default {false} */
  readonly pings?: boolean;
  /** True if client and browser have agreed on `permessage-deflate`. @default {false} */
  readonly isDeflated?: boolean;
  /** Holds the client's commands from the start, with this message. */
  readonly hold?: string | undefined;
  /** Returns why the browser's side ended; not called if the end was expected. Takes a few seconds at most. */
  readonly explain: (signal: AbortSignal) => Promise<CloseReason>;
}

/** The bytes that go out before any that the sockets deliver. */
export interface FirstBytes {
  /** The response to the client's handshake, and the bytes of the browser that followed it. */
  readonly toClient: Uint8Array;
  /** Length of the head of the response, including the empty line at its end. */
  readonly headLength: number;
  /** Bytes of the client that followed its handshake. */
  readonly toBrowser: Uint8Array;
}
