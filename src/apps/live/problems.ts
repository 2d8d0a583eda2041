import { defineProblems } from "../../core/errors.ts";

/** Problem codes of the live app. */
export const liveProblems = defineProblems({
  live_link_not_valid: {
    status: 401,
    title: "Link to the live view is not valid",
    headers: { "www-authenticate": "Bearer" },
    example:
      "Cannot open the live view: the link has expired, expected a new one of POST /v1/sessions/{id}/live-links",
  },
  live_link_not_found: {
    status: 404,
    title: "Link to the live view not found",
    example:
      'Cannot find link "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d": the session has none with this id, expected one of GET /v1/sessions/{id}/live-links',
  },
  live_link_limit: {
    status: 409,
    title: "Too many links to the live view",
    example:
      "Cannot create the link: the session has 100 that are valid, expected fewer; revoke one first",
  },
  live_view_off: {
    status: 403,
    title: "Live view is off",
    example:
      "Cannot show the session: the live view is off, expected true in the setting live_view",
  },
});
