import type { CallOptions } from "./transport.ts";

/** A part of a list. */
export interface Page<T> {
  /** The items of the page. */
  readonly items: readonly T[];
  /** Cursor of the next page; absent or null on the last page. */
  readonly next_cursor?: string | null;
}

/** Query of a list. */
export interface PageQuery {
  /** Maximum number of items on a page. */
  readonly limit?: number | undefined;
  /** `next_cursor` of the previous page. */
  readonly cursor?: string | undefined;
}

/**
 * Iterates over all items of a list, page by page:
 *
 * ```ts
 * for await (const session of each(client.listSessions, { status: "running" })) {
 *   console.log(session.id);
 * }
 * ```
 */
export async function* each<T, Q extends PageQuery>(
  list: (query?: Q, options?: CallOptions) => Promise<Page<T>>,
  query: NoInfer<Q>,
  options?: CallOptions,
): AsyncGenerator<T, void, undefined> {
  let cursor: string | null | undefined = query.cursor;
  do {
    const page = await list(
      cursor === undefined ? query : { ...query, cursor },
      options,
    );
    yield* page.items;
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
}
