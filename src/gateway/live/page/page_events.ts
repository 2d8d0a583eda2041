import { z } from "@hono/zod-openapi";

/** Maximum length of a text of a page that viewers receive, such as a dialog's message. */
const MAX_TEXT = 10_000;

/** Maximum lengths in the list of tabs, which a page may change all the time. */
const MAX_TITLE = 300;
const MAX_URL = 2_000;

const text = z.string().transform((text) => text.slice(0, MAX_TEXT));

/** Parameters of the browser's events that the live view reads. */
export const pageEvents = {
  dialogOpening: z.object({
    url: text,
    message: text,
    type: z.enum(["alert", "confirm", "prompt", "beforeunload"]),
    defaultPrompt: text.default(""),
  }),
  fileChooserOpened: z.object({
    frameId: z.string(),
    mode: z.enum(["selectSingle", "selectMultiple"]),
    /** Missing for a chooser of the File System Access API. */
    backendNodeId: z.int().optional(),
  }),
  frameNavigated: z.object({
    frame: z.object({ parentId: z.string().optional() }),
  }),
  downloadWillBegin: z.object({ suggestedFilename: text }),
  visibilityChanged: z.object({ visible: z.boolean() }),
} as const;

/** A target in the browser's list of targets. */
const targetSchema = z.object({
  targetId: z.string(),
  type: z.string(),
  title: text.transform((title) => title.slice(0, MAX_TITLE)),
  url: text.transform((url) => url.slice(0, MAX_URL)),
  openerId: z.string().optional(),
});

/** A page in the browser's list of targets. */
export type TargetInfo = z.infer<typeof targetSchema>;

export const targetInfoSchema = z.object({ targetInfo: targetSchema });

export const targetInfosSchema = z.object({
  targetInfos: z.array(targetSchema),
});

export const targetIdSchema = z.object({ targetId: z.string() });
