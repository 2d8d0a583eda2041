import type { SessionQuery } from "../../../client/client.ts";

/** Selection of sessions, as it stands in the URL. */
export interface Filters {
  /** Statuses, separated by commas. */
  readonly status: string | undefined;
  readonly pool: string | undefined;
  readonly worker: string | undefined;
  /** A label as NAME=VALUE. */
  readonly label: string | undefined;
  readonly cursor: string | undefined;
}

/** Groups of statuses that are offered. */
export const STATUS_CHOICES: readonly (readonly [
  title: string,
  statuses: string,
])[] = [
  ["All", ""],
  ["Live", "pending,starting,running"],
  ["Pending", "pending"],
  ["Starting", "starting"],
  ["Running", "running"],
  ["Ended", "completed,failed,expired,crashed,timed_out,terminated"],
  ["Completed", "completed"],
  ["Failed or crashed", "failed,crashed"],
  ["Failed", "failed"],
  ["Crashed", "crashed"],
  ["Timed out", "timed_out"],
  ["Expired", "expired"],
  ["Terminated", "terminated"],
];

/** Number of sessions on a page. */
export const PAGE_SIZE = 50;

/** Returns the selection in the parameters of a URL. */
export function readFilters(query: URLSearchParams): Filters {
  const read = (name: string) => query.get(name) || undefined;
  return {
    status: read("status"),
    pool: read("pool"),
    worker: read("worker"),
    label: read("label"),
    cursor: read("cursor"),
  };
}

/** Returns the query of the API for a selection. */
export function toSessionQuery(
  { status, pool, worker, label, cursor }: Filters,
): SessionQuery {
  return {
    status,
    work_pool_id: pool,
    worker_id: worker,
    label,
    cursor,
    limit: PAGE_SIZE,
  };
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Returns what a search text stands for: the id of a session or a label; undefined if it is neither. */
export function parseSearch(
  text: string,
): { readonly id: string } | { readonly label: string } | undefined {
  const trimmed = text.trim();
  if (ID.test(trimmed)) return { id: trimmed.toLowerCase() };
  return /^[^=]+=/.test(trimmed) || trimmed === ""
    ? { label: trimmed }
    : undefined;
}
