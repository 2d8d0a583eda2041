CREATE TABLE notes (
  id TEXT PRIMARY KEY NOT NULL,
  session_id TEXT NOT NULL,
  text TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
--> statement-breakpoint
CREATE INDEX notes_session ON notes (session_id);
