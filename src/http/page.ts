/** A page of a list in order of ids. */
export interface ListPage<T> {
  readonly items: readonly T[];
  /** Id of the last item, after which the next page begins. Absent on the last page. */
  readonly nextCursor?: string;
}

/** Returns `items` as a page. There is a next page if they are as many as `limit`. */
export function toListPage<T extends { readonly id: string }>(
  items: readonly T[],
  limit: number,
): ListPage<T> {
  const last = items.at(-1);
  return items.length < limit || !last
    ? { items }
    : { items, nextCursor: last.id };
}
