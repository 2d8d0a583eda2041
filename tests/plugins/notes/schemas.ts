import { z } from "@hono/zod-openapi";

/** Options of this app in the setting `app_options`. */
export const noteOptionsSchema = z.strictObject({
  max_notes: z.int().positive().default(10).describe("Notes of one session"),
});

/** Body of a new note. */
export const noteInputSchema = z.strictObject({
  session_id: z.uuid(),
  text: z.string().min(1).max(1_000),
}).openapi("NoteInput");

/** A note as version 1 shows it. */
export const noteSchema = z.object({
  id: z.uuid(),
  session_id: z.uuid(),
  text: z.string(),
  created_at: z.iso.datetime(),
}).openapi("Note");

/** A note as version 2 shows it. */
export const noteV2Schema = z.object({
  id: z.uuid(),
  session: z.object({ id: z.uuid() }),
  text: z.object({ value: z.string(), words: z.int() }),
  created_at: z.iso.datetime(),
}).openapi("NoteV2");
