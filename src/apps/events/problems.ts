import { defineProblems } from "../../core/errors.ts";

/** Problem codes of the events app. */
export const eventProblems = defineProblems({
  too_many_event_streams: {
    status: 429,
    title: "Too many event streams",
    retryAfterSeconds: 10,
    example:
      "Cannot open another event stream: the key has 100, expected fewer; end one, or use one for several types",
  },
});
