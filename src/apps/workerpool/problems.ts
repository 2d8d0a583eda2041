import { defineProblems } from "../../core/errors.ts";

/** Problem codes of the workerpool app. */
export const poolProblems = defineProblems({
  pool_not_found: {
    status: 404,
    title: "Work pool not found",
    example:
      'Cannot find work pool "crawlers": no pool has this id or name, expected one of GET /v1/workerpool/pools',
  },
  pool_paused: {
    status: 409,
    title: "Work pool takes no sessions",
  },
  pool_name_taken: {
    status: 409,
    title: "Work pool name is taken",
  },
  pool_in_use: {
    status: 409,
    title: "Work pool is in use",
  },
  no_matching_pool: {
    status: 409,
    title: "No matching work pool",
  },
  queue_full: {
    status: 429,
    title: "Queue is full",
    retryAfterSeconds: 5,
  },
  browser_not_available: {
    status: 422,
    title: "Browser not available",
  },
  argument_not_allowed: {
    status: 422,
    title: "Argument not allowed",
    example:
      'Cannot give the browser its arguments: in work pool "crawlers" not allowed: --disable-web-security, expected some of --lang, --user-agent',
  },
  read_only_member: {
    status: 422,
    title: "Read-only member",
    example:
      'Cannot use the body: updated_at is "2026-07-01T12:00:00.000Z" and cannot be set; expected the value that GET returns, or none',
  },
  provider_mismatch: {
    status: 409,
    title: "Provider does not match",
  },
  unknown_provider: {
    status: 422,
    title: "Unknown provider",
    example: 'Cannot find provider "podman": known are "local", "docker"',
  },
  invalid_provider_config: {
    status: 422,
    title: "Invalid provider_config",
    example:
      'Cannot use the configuration of provider "docker": provider_config.image: expected a string',
  },
});
