import type { OpenAPIHono } from "@hono/zod-openapi";
import { GridError } from "../core/errors.ts";
import type { GridEnv } from "../core/middleware.ts";
import type { Settings } from "../core/settings.ts";
import { truncate } from "../core/text.ts";
import { declareRoute } from "../http/auth/access.ts";
import { renderLocation } from "../http/base_url.ts";
import { createRouter } from "../http/router.ts";
import {
  createLivePageHeaders,
  findAsset,
  PAGE_HEADERS,
  renderPage,
} from "./page.ts";

/** Maximum length of a name in an error message. */
const MAX_NAME = 100;

const open = declareRoute({ isOpen: true });

/**
 * Returns the routes of the page's files, of `/live`, and of all paths below `/ui`. The page itself interprets the path,
 * and the fragment of `/live`, which is the token of a link and is sent to no server.
 */
export function createPageRoutes(
  { live_view_frame_ancestors }: Pick<Settings, "live_view_frame_ancestors">,
): OpenAPIHono<GridEnv> {
  const router = createRouter();
  const liveHeaders = createLivePageHeaders(live_view_frame_ancestors);
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
    "/live",
    open.middleware,
    (c) => c.html(renderPage(renderLocation(c, "")), 200, liveHeaders),
  );
  router.get(
    "/ui/*",
    open.middleware,
    (c) => c.html(renderPage(renderLocation(c, "")), 200, PAGE_HEADERS),
  );
  return router;
}
