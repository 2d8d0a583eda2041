import { defineProblems } from "../../core/errors.ts";

/** Problem codes of the keys app. */
export const keyProblems = defineProblems({
  key_not_found: {
    status: 404,
    title: "Key not found",
  },
  last_admin_key: {
    status: 409,
    title: "Last admin key",
  },
});
