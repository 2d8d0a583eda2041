import { sessionsApp } from "../../../src/apps/sessions/app.ts";
import { defineApp } from "../../../src/core/app.ts";
import { every } from "../../../src/async/every.ts";
import { noteRoutes as v1 } from "./api/v1/notes.ts";
import { noteRoutes as v2 } from "./api/v2/notes.ts";
import { createNoteManager, type NoteManager } from "./manager.ts";
import { NOTE_PROBLEMS } from "./problems.ts";
import { noteOptionsSchema } from "./schemas.ts";
import { createNoteStore } from "./store.ts";

const PRUNE_MS = 60_000;

/** Notes that people attach to sessions: the example of an app. */
export const notes = defineApp<NoteManager>({
  name: "notes",
  verboseName: "Notes on sessions",
  migrations: new URL("./migrations/", import.meta.url),
  problems: NOTE_PROBLEMS,
  setup(core) {
    const { max_notes } = core.options(noteOptionsSchema);
    const manager = createNoteManager({
      clock: core.clock,
      sessions: core.use(sessionsApp),
      store: createNoteStore(core.db),
      maxNotes: max_notes,
    });
    return {
      manager,
      routes: { v1: v1(manager), v2: v2(manager) },
      ready: () =>
        every(() => manager.prune(), { clock: core.clock, periodMs: PRUNE_MS }),
    };
  },
});
