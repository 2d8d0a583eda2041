import { defineProblems } from "../../core/errors.ts";

/** Problem codes of the live view. */
export const liveViewProblems = defineProblems({
  too_many_viewers: {
    status: 429,
    title: "Too many viewers",
    retryAfterSeconds: 10,
    example:
      'Cannot show session "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d": it has 50 viewers at this server, expected at most 50; try again',
  },
});
