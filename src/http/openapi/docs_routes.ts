/**
 * The page at `/docs`: Swagger UI over `/openapi.json`, from files that the program carries, so that it works offline.
 *
 * @module
 */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { declareRoute } from "../auth/access.ts";
import type { GridEnv } from "../../core/middleware.ts";
import { type DocsFile, loadDocsFile } from "./docs_files.ts";

/** Only what the page itself brings, and requests to this server. The page's styles are set from its script. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Files of the page, and their types. */
const ASSETS: readonly (readonly [DocsFile, string])[] = [
  ["start.js", "text/javascript; charset=utf-8"],
  ["swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
  ["swagger-ui.css", "text/css; charset=utf-8"],
];

const open = declareRoute({ isOpen: true });

const page = createRoute({
  ...open,
  method: "get",
  path: "/docs",
  operationId: "docs",
  tags: ["System"],
  summary: "Show this document as a page, on which requests can be tried",
  responses: {
    200: {
      description: "The page",
      content: { "text/html": { schema: z.string() } },
    },
  },
});

/** The page and its files. */
export function createDocsRoutes(): OpenAPIHono<GridEnv> {
  const router = new OpenAPIHono<GridEnv>();
  router.openapi(page, async (c) => {
    c.header("content-security-policy", CONTENT_SECURITY_POLICY);
    return c.html(await loadDocsFile("page.html"), 200);
  });
  // The page names its files as seen from here.
  router.get("/docs/", open.middleware, (c) => c.redirect("../docs"));
  for (const [name, type] of ASSETS) {
    router.get(`/docs/${name}`, open.middleware, async (c) => {
      c.header("content-type", type);
      c.header("cache-control", "public, max-age=3600");
      return c.body(await loadDocsFile(name));
    });
  }
  return router;
}
