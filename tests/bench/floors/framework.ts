// Loads the HTTP framework and does nothing: its CPU is what any program with an API of this kind needs.
import "@hono/zod-openapi";
