/** Text above the first prompt of `browsergrid shell`, and in its help. */
export const WELCOME =
  `settings   the settings in force here, printed without secrets
api        client of the server: await api.listPools(), api.createSession({ \u2026 })
db         the database: await db.query("SELECT \u2026"), or
           await db.execute("UPDATE \u2026", [value])
await works everywhere. .help for help, Ctrl+D to leave`;
