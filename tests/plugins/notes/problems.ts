import { defineProblems } from "../../../src/core/errors.ts";

/** Codes that only this app answers. */
export const NOTE_PROBLEMS = defineProblems({
  note_not_found: { status: 404, title: "Note not found" },
  notes_full: { status: 429, title: "Too many notes", retryAfterSeconds: 60 },
});
