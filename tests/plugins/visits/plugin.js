// A plugin from outside of this repository: JavaScript that imports nothing, neither of the project nor from npm.
export default (
  {
    z,
    createRoute,
    createRouter,
    refusals,
    access,
    defineApp,
    defineProblems,
    GridError,
  },
) => {
  const problems = defineProblems({
    never_visited: { status: 404, title: "Session was never visited" },
  });
  const params = z.object({ id: z.uuid() });
  const visits = z.object({ visits: z.int() }).openapi("Visits");
  const answer = {
    description: "How often it was visited",
    content: { "application/json": { schema: visits } },
  };
  const path = "/sessions/{id}/visits";
  const count = createRoute({
    method: "post",
    path,
    request: { params },
    responses: { 200: answer, ...refusals("session_not_found") },
  });
  const read = createRoute({
    method: "get",
    path,
    ...access("client"),
    request: { params },
    responses: { 200: answer, ...refusals(problems.never_visited) },
  });

  function routes(core, sessions) {
    const router = createRouter();
    const query = async (sql, id) =>
      (await core.db.client.execute({ sql, args: [id] })).rows[0];
    router.openapi(count, async (c) => {
      const { id } = c.req.valid("param");
      await sessions.get(id);
      const row = await query(
        "INSERT INTO visits VALUES (?, 1) ON CONFLICT DO UPDATE SET visits = visits + 1 RETURNING visits",
        id,
      );
      return c.json({ visits: row.visits }, 200);
    });
    router.openapi(read, async (c) => {
      const { id } = c.req.valid("param");
      const sql = "SELECT visits FROM visits WHERE session_id = ?";
      const row = await query(sql, id);
      if (row) return c.json({ visits: row.visits }, 200);
      throw new GridError(
        problems.never_visited,
        `Cannot count the visits of session "${id}": it has none`,
      );
    });
    return router;
  }

  return {
    name: "visits",
    apps: [defineApp({
      name: "visits",
      verboseName: "Visits of sessions",
      migrations: new URL("./migrations/", import.meta.url),
      problems,
      setup: (core) => ({
        manager: {},
        routes: { v1: routes(core, core.use("sessions")) },
      }),
    })],
  };
};
