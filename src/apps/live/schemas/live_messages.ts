/**
 * Messages of the server to a viewer of the live view: text messages with JSON, and pictures as binary messages.
 *
 * A picture is a head of {@linkcode PICTURE_HEAD_BYTES} bytes, big-endian, and a JPEG:
 *
 * ```text
 * offset  type  content
 *      0  u8    1: picture
 *      1  u32   sequence number, for `ack`
 *      5  u16   width of the page's visual viewport at scale 1, in CSS pixels
 *      7  u16   height
 *      9  f32   scale of the page (pinch zoom)
 *     13  f32   height of what stands above the page in the picture, in CSS pixels
 * ```
 *
 * Positions of the mouse are sent in CSS pixels: `x = pixel * width / pictureWidth / scale`,
 * `y = (pixel * height / pictureHeight - top) / scale`.
 *
 * @module
 */

/** Subprotocol of the live view's WebSocket. */
export const LIVE_PROTOCOL = "browsergrid.live.v1";

/**
 * Prefix of the second subprotocol that a viewer with a link offers, which contains the link's token: browsers can send
 * no header with a WebSocket, and a query would be logged.
 */
export const TOKEN_PROTOCOL = "browsergrid.token.";

/** Maximum length of a viewer's text message, in bytes. */
export const MAX_VIEWER_MESSAGE_BYTES = 1024 * 1024;

/** Maximum length of a file that a viewer gives to a page, in bytes. */
export const MAX_UPLOAD_BYTES = 32 * 1024 * 1024;

/** Maximum number of files of one selection. */
export const MAX_FILES = 20;

/** Length of the head of a picture. */
export const PICTURE_HEAD_BYTES = 17;

/** A page of the browser. */
export interface LiveTab {
  readonly id: string;
  readonly title: string;
  readonly url: string;
  /** True if the page is shown in its window, as far as known; others send one picture only. */
  readonly is_visible: boolean;
  readonly opener_id: string | null;
}

/** The side that controls the browser: the automation, a person, or both. */
export type LiveControl = "client" | "human" | "shared";

/** An open request to a person. */
export interface LiveHandover {
  readonly id: string;
  readonly reason: string;
  /** ISO 8601; null without a timeout. */
  readonly expires_at: string | null;
}

/** A text message of the server. */
export type LiveMessage =
  | {
    readonly type: "hello";
    readonly session_id: string;
    readonly browser: string;
    readonly headless: boolean;
    /** "control": this viewer may take control. */
    readonly mode: "view" | "control";
    /** End of the link, ISO 8601; null for viewers without a link. */
    readonly expires_at: string | null;
  }
  | {
    readonly type: "state";
    readonly control: LiveControl;
    /** True if this viewer has control. */
    readonly is_controlling: boolean;
    /** Number of viewers at this server. */
    readonly viewers: number;
    readonly handover: LiveHandover | null;
  }
  | {
    readonly type: "tabs";
    readonly tabs: readonly LiveTab[];
    /** The tab that this viewer sees; null if there is none. */
    readonly current: string | null;
    /** True if the current page emulates a touch screen. */
    readonly is_touch: boolean;
  }
  | {
    readonly type: "dialog";
    /** Null: the dialog of the current tab is closed. */
    readonly dialog: {
      readonly kind: "alert" | "confirm" | "prompt" | "beforeunload";
      readonly message: string;
      readonly default_text: string;
      readonly url: string;
    } | null;
  }
  | {
    readonly type: "select";
    readonly id: number;
    /** Place of the element, in CSS pixels. */
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
    readonly options: readonly {
      readonly text: string;
      readonly is_disabled: boolean;
      /** Label of its group; empty without one. */
      readonly group: string;
    }[];
    readonly selected: number;
  }
  | {
    readonly type: "file_chooser";
    readonly id: number;
    readonly is_multiple: boolean;
    /** The input's `accept`; empty for any file. */
    readonly accept: string;
  }
  | { readonly type: "copied"; readonly text: string }
  | {
    readonly type: "notice";
    readonly code:
      | "page_hangs"
      | "page_crashed"
      | "page_responds"
      | "download_started"
      | "file_too_large"
      | "not_possible"
      | "not_allowed"
      | "invalid_message";
    /** One sentence for the viewer. */
    readonly message: string;
  }
  | {
    /** The last message, before the socket closes. */
    readonly type: "end";
    readonly code:
      | "session_ended"
      | "link_revoked"
      | "link_expired"
      | "signed_out"
      | "browser_gone"
      | "server_stopping"
      | "too_slow";
    readonly message: string;
  };
