import { SESSION_EVENT_NAMES } from "../../src/apps/sessions/event_types.ts";
import type { Client } from "@libsql/client";
import { z } from "@hono/zod-openapi";
import { SESSION_STATUSES } from "../../src/apps/sessions/status.ts";

/** Record of every change of a session, written by database triggers independently of the code under test. */
const COLUMNS = [
  "labels",
  "status",
  "worker_id",
  "fencing_token",
  "expires_at",
  "queue_deadline_at",
  "attended_until",
  "idle_since",
  "work_pool_id",
] as const;

const statusSchema = z.enum(SESSION_STATUSES);

/** A session as the database has it. */
export type Entry = z.infer<typeof entrySchema>;

const entrySchema = z.object({
  id: z.string(),
  labels: z.string(),
  status: statusSchema,
  worker_id: z.string().nullable(),
  fencing_token: z.number(),
  expires_at: z.number(),
  queue_deadline_at: z.number(),
  attended_until: z.number().nullable(),
  idle_since: z.number().nullable(),
  work_pool_id: z.string(),
});

const changeSchema = entrySchema.extend({
  seq: z.number(),
  kind: z.enum(["insert", "update", "delete"]),
});

const eventSchema = z.object({
  seq: z.number(),
  session_id: z.string(),
  event: z.string().transform((type) => SESSION_EVENT_NAMES[type] ?? type),
});

/** One change of a session's row. */
export interface Change {
  readonly kind: "insert" | "update" | "delete";
  /** As it was; undefined: it is new. */
  readonly before: Entry | undefined;
  readonly after: Entry;
}

/** An event of a session, with its name. */
export type EventRow = z.infer<typeof eventSchema>;

/** Everything that was committed since the last reading. */
export interface News {
  readonly changes: readonly Change[];
  readonly events: readonly EventRow[];
}

/** A second set of books: what the rows of sessions were and are, kept from the database's own record of changes. */
export class Ledger {
  readonly sessions = new Map<string, Entry>();
  readonly #client: Client;
  #lastChange = 0;
  #lastEvent = 0;

  private constructor(client: Client) {
    this.#client = client;
  }

  /** Makes the database record its changes. */
  static async open(client: Client): Promise<Ledger> {
    await client.executeMultiple(TRIGGERS);
    return new Ledger(client);
  }

  /** Reads on, and returns what is new. */
  async read(): Promise<News> {
    const [changed, happened] = await this.#client.batch([
      {
        sql: "SELECT * FROM ledger WHERE seq > ? ORDER BY seq",
        args: [this.#lastChange],
      },
      {
        sql:
          "SELECT sequence AS seq, session_id, type AS event FROM events WHERE sequence > ? AND session_id IS NOT NULL ORDER BY sequence",
        args: [this.#lastEvent],
      },
    ]);
    const rows = (changed?.rows ?? []).map((row) => changeSchema.parse(row));
    const events = (happened?.rows ?? []).map((row) => eventSchema.parse(row));
    this.#lastChange = rows.at(-1)?.seq ?? this.#lastChange;
    this.#lastEvent = events.at(-1)?.seq ?? this.#lastEvent;
    return { changes: rows.map((row) => this.#enter(row)), events };
  }

  /** Every row that is there, read anew. */
  async rows(): Promise<readonly Entry[]> {
    const { rows } = await this.#client.execute(
      `SELECT id, ${COLUMNS.join(", ")} FROM sessions ORDER BY id`,
    );
    return rows.map((row) => entrySchema.parse(row));
  }

  #enter({ kind, seq: _, ...after }: z.infer<typeof changeSchema>): Change {
    const before = this.sessions.get(after.id);
    if (kind === "delete") this.sessions.delete(after.id);
    else this.sessions.set(after.id, after);
    return { kind, before, after };
  }
}

const TRIGGERS = (() => {
  const record = (kind: string, row: "new" | "old") =>
    `INSERT INTO ledger (kind, id, ${COLUMNS.join(", ")})
     VALUES ('${kind}', ${row}.id, ${
      COLUMNS.map((name) => `${row}.${name}`).join(", ")
    });`;
  const differs = COLUMNS.map((name) => `old.${name} IS NOT new.${name}`)
    .join(" OR ");
  return `
    CREATE TABLE ledger (seq INTEGER PRIMARY KEY AUTOINCREMENT, kind, id,
      ${COLUMNS.join(", ")});
    CREATE TRIGGER ledger_insert AFTER INSERT ON sessions
      BEGIN ${record("insert", "new")} END;
    CREATE TRIGGER ledger_update AFTER UPDATE ON sessions WHEN ${differs}
      BEGIN ${record("update", "new")} END;
    CREATE TRIGGER ledger_delete AFTER DELETE ON sessions
      BEGIN ${record("delete", "old")} END;`;
})();
