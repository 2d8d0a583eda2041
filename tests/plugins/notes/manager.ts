import { uuidv7 } from "uuidv7";
import type { SessionManager } from "../../../src/apps/sessions/manager.ts";
import type { Clock } from "../../../src/async/clock.ts";
import { GridError } from "../../../src/core/errors.ts";
import { NOTE_PROBLEMS } from "./problems.ts";
import type { Note, NoteStore } from "./store.ts";

const KEPT_MS = 24 * 3_600_000;

/** Rules of the notes. */
export interface NoteManager {
  /** @throws {GridError} `session_not_found`, `notes_full` */
  create(sessionId: string, text: string): Promise<Note>;
  /** @throws {GridError} `note_not_found` */
  get(id: string): Promise<Note>;
  /** Deletes notes that are older than a day. */
  prune(): Promise<void>;
}

/** Dependencies of a note manager. */
export interface NoteParts {
  readonly clock: Clock;
  readonly sessions: Pick<SessionManager, "get">;
  readonly store: NoteStore;
  /** Maximum number of notes of one session. */
  readonly maxNotes: number;
}

/** Creates the manager of the notes in `store`. */
export function createNoteManager(
  { clock, sessions, store, maxNotes }: NoteParts,
): NoteManager {
  return {
    async create(sessionId, text) {
      await sessions.get(sessionId);
      if (await store.count(sessionId) >= maxNotes) {
        throw new GridError(
          NOTE_PROBLEMS.notes_full,
          `Cannot add a note to session "${sessionId}": it has ${maxNotes}, expected fewer`,
        );
      }
      const note = { id: uuidv7(), sessionId, text, createdAt: clock.now() };
      await store.insert(note);
      return note;
    },
    async get(id) {
      const note = await store.find(id);
      if (note) return note;
      throw new GridError(
        NOTE_PROBLEMS.note_not_found,
        `Cannot find note "${id}": there is none, expected the id of a note`,
      );
    },
    prune: () => store.prune(clock.now() - KEPT_MS),
  };
}
