import type { OpenAPIHono } from "@hono/zod-openapi";
import { GridError } from "../core/errors.ts";
import type { GridEnv } from "../core/middleware.ts";
import { truncate } from "../core/text.ts";
import { declareRoute } from "../http/auth/access.ts";
import { renderLocation } from "../http/base_url.ts";
import { createRouter } from "../http/router.ts";
import { findAsset, PAGE_HEADERS, renderPage } from "./page.ts";

/** Maximum length of a name in an error message. */
const MAX_NAME = 100;

const open = declareRoute({ isOpen: true });

/** Returns the routes of the page's files, and of all paths below `/ui`, which the page itself interprets. */
export function createPageRoutes(): OpenAPIHono<GridEnv> {
  const router = createRouter();
  router.get("/ui/assets/:name", open.middleware, (c) => {
    const name = c.req.param("name");
    const asset = findAsset(name);
    if (!asset) {
      throw new GridError(
        "not_found",
        `Cannot find file "${
          truncate(name, MAX_NAME)
        }" of the dashboard: this version has no such file, expected one that its page names`,
      );
    }
    return c.body(asset.text, 200, {
      "content-type": asset.type,
      "cache-control": "public, max-age=31536000, immutable",
    });
  });
  router.get(
    "/ui/*",
    open.middleware,
    (c) => c.html(renderPage(renderLocation(c, "")), 200, PAGE_HEADERS),
  );
  return router;
}
