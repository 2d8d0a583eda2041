/** Some of many things, in order of their ids. */
export interface ListPage<T> {
  readonly items: readonly T[];
  /** Id of the last one, behind which the next page begins; absent: there is none. */
  readonly nextCursor?: string;
}

/** The page that `items` are, of which `limit` were asked for. */
export function toListPage<T extends { readonly id: string }>(
  items: readonly T[],
  limit: number,
): ListPage<T> {
  const last = items.at(-1);
  return items.length < limit || !last
    ? { items }
    : { items, nextCursor: last.id };
}
