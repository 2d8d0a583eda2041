import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { GridEnv } from "../../../../../src/core/middleware.ts";
import {
  createRouter,
  problemResponses,
} from "../../../../../src/http/router.ts";
import type { NoteManager } from "../../manager.ts";
import { NOTE_PROBLEMS } from "../../problems.ts";
import { noteV2Schema } from "../../schemas.ts";
import type { Note } from "../../store.ts";

const get = createRoute({
  method: "get",
  path: "/notes/{note_id}",
  tags: ["Notes"],
  summary: "Get a note, with how long it is",
  request: { params: z.object({ note_id: z.string() }) },
  responses: {
    200: {
      description: "The note",
      content: { "application/json": { schema: noteV2Schema } },
    },
    ...problemResponses(NOTE_PROBLEMS.note_not_found),
  },
});

/** Endpoints of notes, version 2: those that differ from version 1. */
export function noteRoutes(manager: NoteManager): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.openapi(get, async (c) => {
    const found = await manager.get(c.req.valid("param").note_id);
    return c.json(render(found), 200);
  });
  return router;
}

function render({ id, sessionId, text, createdAt }: Note) {
  return {
    id,
    session: { id: sessionId },
    text: { value: text, words: text.split(/\s+/).length },
    created_at: new Date(createdAt).toISOString(),
  };
}
