import { defineProblems } from "../../core/errors.ts";

/** Error codes of hand-overs. */
export const handoverProblems = defineProblems({
  handover_open: {
    status: 409,
    title: "Hand-over is open",
    example:
      'Cannot hand over session "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d": the request "01a20ad6-1b8c-72fd-b6ee-3a52ff860a5d" is open, expected none; wait for its end or cancel it',
  },
  handover_not_open: {
    status: 409,
    title: "No hand-over is open",
    example:
      'Cannot end the hand-over of session "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d": no request is open, expected one',
  },
  handover_not_found: {
    status: 404,
    title: "Hand-over not found",
    example:
      'Cannot find a hand-over of session "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d": none was requested, expected one; request it with POST',
  },
});
