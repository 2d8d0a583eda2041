import { defineProblems } from "../../../src/core/errors.ts";

/** Error codes of this app. */
export const NOTE_PROBLEMS = defineProblems({
  note_not_found: { status: 404, title: "Note not found" },
  notes_full: { status: 429, title: "Too many notes", retryAfterSeconds: 60 },
});
