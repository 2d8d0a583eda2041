/**
 * Does `work` for every item at once, and for all of them also when it fails for some.
 *
 * @throws {Error} what failed, when all have ended.
 */
export async function allSettled<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const ends = await Promise.allSettled(items.map(work));
  const failures = ends.filter((end) => end.status === "rejected").map(
    ({ reason }): unknown => reason,
  );
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) {
    const words = failures.map((failure) =>
      failure instanceof Error ? failure.message : String(failure)
    );
    throw new AggregateError(failures, words.join("; "));
  }
}
