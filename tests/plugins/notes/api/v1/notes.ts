import { sessionProblems } from "../../../../../src/apps/sessions/problems.ts";
import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { GridEnv } from "../../../../../src/core/middleware.ts";
import {
  createRouter,
  problemResponses,
} from "../../../../../src/http/router.ts";
import type { NoteManager } from "../../manager.ts";
import { NOTE_PROBLEMS } from "../../problems.ts";
import { noteInputSchema, noteSchema } from "../../schemas.ts";
import type { Note } from "../../store.ts";

const tags = ["Notes"];
const note = {
  description: "The note",
  content: { "application/json": { schema: noteSchema } },
};

const create = createRoute({
  method: "post",
  path: "/notes",
  tags,
  summary: "Attach a note to a session",
  request: {
    body: {
      required: true,
      content: { "application/json": { schema: noteInputSchema } },
    },
  },
  responses: {
    201: note,
    ...problemResponses(
      "invalid_request",
      sessionProblems.session_not_found,
      NOTE_PROBLEMS.notes_full,
    ),
  },
});

const get = createRoute({
  method: "get",
  path: "/notes/{note_id}",
  tags,
  summary: "Get a note",
  request: { params: z.object({ note_id: z.string() }) },
  responses: { 200: note, ...problemResponses(NOTE_PROBLEMS.note_not_found) },
});

/** Endpoints of notes, version 1. */
export function noteRoutes(manager: NoteManager): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(create, async (c) => {
    const { session_id, text } = c.req.valid("json");
    return c.json(render(await manager.create(session_id, text)), 201);
  });
  router.openapi(get, async (c) => {
    const found = await manager.get(c.req.valid("param").note_id);
    return c.json(render(found), 200);
  });
  return router;
}

function render({ id, sessionId, text, createdAt }: Note) {
  const created_at = new Date(createdAt).toISOString();
  return { id, session_id: sessionId, text, created_at };
}
