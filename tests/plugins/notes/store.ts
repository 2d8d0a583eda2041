import { count, eq, lt } from "drizzle-orm";
import type { Database } from "../../../src/core/database.ts";
import { notes } from "./models.ts";

/** A note. */
export type Note = typeof notes.$inferSelect;

/** SQL of the notes. Each method is one round trip. */
export interface NoteStore {
  insert(note: Note): Promise<void>;
  find(id: string): Promise<Note | undefined>;
  count(sessionId: string): Promise<number>;
  prune(before: number): Promise<void>;
}

/** The notes in `db`. */
export function createNoteStore({ orm }: Database): NoteStore {
  return {
    async insert(note) {
      await orm.insert(notes).values(note);
    },
    async find(id) {
      const [found] = await orm.select().from(notes).where(eq(notes.id, id));
      return found;
    },
    async count(sessionId) {
      const [row] = await orm.select({ all: count() }).from(notes).where(
        eq(notes.sessionId, sessionId),
      );
      return row?.all ?? 0;
    },
    async prune(before) {
      await orm.delete(notes).where(lt(notes.createdAt, before));
    },
  };
}
