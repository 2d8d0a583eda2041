import { defineProblems } from "../../core/errors.ts";

/** Problem codes of the workers app. */
export const workerProblems = defineProblems({
  worker_not_found: {
    status: 404,
    title: "Worker not found",
    example:
      'Cannot find worker "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d": no worker has this id, expected one of GET /v1/workerpool/workers',
  },
  worker_in_use: {
    status: 409,
    title: "Worker name is in use",
  },
  worker_replaced: {
    status: 409,
    title: "Worker runs in a newer process",
  },
  worker_busy: {
    status: 409,
    title: "Worker holds sessions",
  },
  pool_full: {
    status: 409,
    title: "Work pool has its maximum of workers",
  },
});
