/**
 * Runs `work` for every item concurrently and waits for all of them, even if some fail.
 *
 * @throws The error of the only failure, or an AggregateError that joins the messages of several.
 */
export async function allSettled<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const results = await Promise.allSettled(items.map(work));
  const failures = results.filter((result) => result.status === "rejected").map(
    ({ reason }): unknown => reason,
  );
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) {
    const messages = failures.map((failure) =>
      failure instanceof Error ? failure.message : String(failure)
    );
    throw new AggregateError(failures, messages.join("; "));
  }
}
