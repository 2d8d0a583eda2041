import type { CallOptions } from "./transport.ts";

/** A page of things. */
export interface Page<T> {
  readonly items: readonly T[];
  /** There is more: ask for it with this `cursor`. */
  readonly next_cursor?: string | null;
}

/** What every list takes. */
export interface PageQuery {
  /** Most things on one page. */
  readonly limit?: number | undefined;
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined;
}

/**
 * Every thing of a list, page after page:
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
