import { z } from "@hono/zod-openapi";

import { MAX_FILES, MAX_UPLOAD_BYTES } from "./live_messages.ts";

/** Maximum length of a pasted or composed text, in UTF-16 code units. */
const MAX_TEXT = 100_000;

/** A position in the picture, in CSS pixels of the page's visual viewport. */
const coordinate = z.number().min(-100_000).max(100_000);

const modifiers = z.int().min(0).max(15).default(0).describe(
  "Sum of Alt 1, Ctrl 2, Meta 4, Shift 8",
);

const position = { x: coordinate, y: coordinate, modifiers };

const targetId = z.string().regex(/^[0-9A-Za-z_-]{1,100}$/);

/** Messages of every viewer. */
const viewMessages = [
  z.strictObject({
    type: z.literal("ack").describe("The picture is drawn; asks for the next"),
    seq: z.int().min(0),
  }),
  z.strictObject({
    type: z.literal("view").describe(
      "Size at which the viewer shows the picture, in physical pixels, and its highest rate",
    ),
    width: z.int().min(16).max(8_192),
    height: z.int().min(16).max(8_192),
    max_fps: z.number().min(0.1).max(30).default(10),
  }),
  z.strictObject({ type: z.literal("tab"), id: targetId }),
] as const;

/** Messages of a viewer with the right to control. `control` starts and ends its control; all others need it. */
const controlMessages = [
  z.strictObject({ type: z.literal("control"), take: z.boolean() }),
  z.strictObject({
    type: z.literal("mouse"),
    action: z.enum(["move", "down", "up"]),
    ...position,
    button: z.enum(["none", "left", "middle", "right", "back", "forward"]),
    buttons: z.int().min(0).max(31).describe("MouseEvent.buttons"),
    click_count: z.int().min(0).max(3).default(0),
  }),
  z.strictObject({
    type: z.literal("wheel"),
    ...position,
    delta_x: z.number().min(-10_000).max(10_000),
    delta_y: z.number().min(-10_000).max(10_000),
  }),
  z.strictObject({
    type: z.literal("touch"),
    action: z.enum(["start", "move", "end", "cancel"]),
    points: z.array(
      z.strictObject({
        id: z.int().min(0).max(31),
        x: coordinate,
        y: coordinate,
      }),
    ).max(10),
    modifiers,
  }),
  z.strictObject({
    type: z.literal("key"),
    action: z.enum(["down", "up"]),
    key: z.string().max(32).describe("KeyboardEvent.key"),
    code: z.string().max(32).describe("KeyboardEvent.code"),
    key_code: z.int().min(0).max(255).default(0),
    location: z.int().min(0).max(3).default(0),
    is_repeat: z.boolean(),
    modifiers,
  }),
  z.strictObject({
    type: z.literal("text").describe("Inserts a text, as a paste does"),
    text: z.string().max(MAX_TEXT),
  }),
  z.strictObject({
    type: z.literal("compose").describe(
      "Text that an input method composes; an empty one cancels it, and `text` commits it",
    ),
    text: z.string().max(MAX_TEXT),
    selection_start: z.int().min(0).max(MAX_TEXT),
    selection_end: z.int().min(0).max(MAX_TEXT),
  }),
  z.strictObject({
    type: z.literal("dialog_answer"),
    accept: z.boolean(),
    text: z.string().max(MAX_TEXT).optional(),
  }),
  z.strictObject({
    type: z.literal("select_answer").describe(
      "Index of the chosen option of a `select`; null closes the list",
    ),
    id: z.int(),
    index: z.int().min(0).max(100_000).nullable(),
  }),
  z.strictObject({
    type: z.literal("files").describe(
      "Answers a file chooser; a binary message with the bytes of each file follows, in order. No file cancels it",
    ),
    id: z.int(),
    files: z.array(z.strictObject({
      name: z.string().min(1).max(255),
      mime: z.string().max(255),
      size: z.int().min(0).max(MAX_UPLOAD_BYTES),
    })).max(MAX_FILES),
  }),
  z.strictObject({
    type: z.literal("copy").describe("Asks for the selected text"),
  }),
  z.strictObject({
    type: z.literal("navigate"),
    action: z.enum(["back", "forward", "reload", "open"]),
    url: z.string().max(8_192).optional().describe("For `open`: http or https"),
  }),
  z.strictObject({ type: z.literal("new_tab") }),
  z.strictObject({ type: z.literal("close_tab"), id: targetId }),
  z.strictObject({
    type: z.literal("finish").describe(
      "Resolves the open hand-over request: the person is done, or cannot do it",
    ),
    result: z.enum(["done", "declined"]),
    note: z.string().max(1_000).optional(),
  }),
] as const;

/** A text message of a viewer of the live view. */
export const viewerMessageSchema = z.discriminatedUnion("type", [
  ...viewMessages,
  ...controlMessages,
]);

export type ViewerMessage = z.infer<typeof viewerMessageSchema>;

/** The messages that every viewer may send. */
export const VIEW_MESSAGES: ReadonlySet<string> = new Set(
  viewMessages.map(({ shape }) => shape.type.value),
);
