import type { BatchItem } from "drizzle-orm/batch";
import type { LibSQLDatabase } from "drizzle-orm/libsql/driver-core";

/** A statement that has not run yet. */
export type Unrun = BatchItem<"sqlite">;

/** Statements by name. A list under one name runs in its order, and may be empty. */
export type Statements<S> = {
  readonly [K in keyof S]: Unrun | readonly Unrun[];
};

/** Results of {@linkcode Statements}, by the same names. */
type Results<S extends Statements<S>> = {
  readonly [K in keyof S]: S[K] extends readonly Unrun[] ? ListResults<S[K]>
    : ResultOf<S[K]>;
};

type ListResults<L extends readonly Unrun[]> = {
  readonly [I in keyof L]: ResultOf<L[I]>;
};

/** The result of a statement. */
export type ResultOf<S> = S extends PromiseLike<infer R> ? R : never;

/**
 * Runs statements in one batch, in the order of their names, and returns each result under the name of its statement.
 * One round trip and one transaction; none if there is no statement.
 *
 * ```ts
 * const { session, events } = await batchNamed(orm, {
 *   session: orm.select().from(sessions).where(isOne),
 *   events: orm.select().from(events).where(isOfSession),
 * });
 * ```
 */
export async function batchNamed<const S extends Statements<S>>(
  orm: Pick<LibSQLDatabase, "batch">,
  statements: S,
): Promise<Results<S>> {
  const entries = Object.entries<Unrun | readonly Unrun[]>(statements);
  const [first, ...others] = entries.flatMap(([, each]) => each);
  const results: unknown[] = first ? await orm.batch([first, ...others]) : [];
  const named = Object.fromEntries(entries.map(([name, each]) => [
    name,
    isList(each) ? results.splice(0, each.length) : results.shift(),
  ]));
  // The names and the order are those of the statements, which the checker cannot see.
  return named as Results<S>;
}

/** Reports whether the statements of one name are a list. */
export function isList(
  statement: Unrun | readonly Unrun[],
): statement is readonly Unrun[] {
  return Array.isArray(statement);
}
