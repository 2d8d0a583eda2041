/**
 * The page at `/docs`: Swagger UI for `/openapi.json`, from files inside the program, so that it works offline.
 *
 * @module
 */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { declareRoute } from "../auth/access.ts";
import type { GridEnv } from "../../core/middleware.ts";

/** Allows only the files of the page and requests to this server. The script of the page sets its styles. */
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

/** Files of the page with their types. */
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
  summary: "Show this document as a page from which requests can be sent",
  responses: {
    200: {
      description: "The page",
      content: { "text/html": { schema: z.string() } },
    },
  },
});

/** Returns the routes of the page and its files. */
export function createDocsRoutes(): OpenAPIHono<GridEnv> {
  const router = new OpenAPIHono<GridEnv>();
  router.openapi(page, async (c) => {
    c.header("content-security-policy", CONTENT_SECURITY_POLICY);
    return c.html(await loadDocsFile("page.html"), 200);
  });
  // The links of the page are relative to this path.
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

/** Files of the page, each loaded by its first request to save memory. */
const FILES = {
  "page.html": () => import("./page.html", { with: { type: "text" } }),
  "start.js": () => import("./start.js", { with: { type: "text" } }),
  "swagger-ui-bundle.js": () =>
    import("swagger-ui-dist/swagger-ui-bundle.js", { with: { type: "text" } }),
  "swagger-ui.css": () =>
    import("swagger-ui-dist/swagger-ui.css", { with: { type: "text" } }),
} as const;

/** Name of a file of the page. */
type DocsFile = keyof typeof FILES;

/** Loads the text of a file of the page. */
async function loadDocsFile(name: DocsFile): Promise<string> {
  const loaded: { readonly default: string } = await FILES[name]();
  return loaded.default;
}
