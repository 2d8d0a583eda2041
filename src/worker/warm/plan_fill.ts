/** Maximum number of concurrent starts. Low, because starts delay the sessions that arrive during them. */
const MAX_STARTING = 2;

/** A warm browser for {@linkcode planFill}. */
export interface FillCandidate {
  readonly isReady: boolean;
}

/** The state of a warm pool for {@linkcode planFill}. */
export interface FillState<B extends FillCandidate> {
  /** Number of browsers to keep ready. */
  readonly count: number;
  /** Live browsers that match the target and are not old. */
  readonly fresh: readonly B[];
  /** Live browsers that must be replaced. */
  readonly old: readonly B[];
  /** True if other browsers are ending, whose room becomes free. */
  readonly isEnding: boolean;
  /** Number of browsers that the worker's capacity still allows. */
  readonly room: number;
  readonly mayStart: boolean;
}

/** The changes that bring a warm pool to its target. */
export interface FillPlan<B> {
  readonly end: readonly B[];
  /** Number of browsers to start. */
  readonly start: number;
}

/**
 * Plans how to bring the number of warm browsers to `count`. An old browser stays until its replacement is ready, unless
 * the old ones use all the room: then they are replaced one at a time.
 */
export function planFill<B extends FillCandidate>(
  { count, fresh, old, isEnding, room, mayStart }: FillState<B>,
): FillPlan<B> {
  const ready = fresh.filter(({ isReady }) => isReady);
  const keptOld = Math.max(0, count - ready.length);
  const end = [...fresh.slice(count), ...old.slice(keptOld)];
  const missing = count - fresh.length;
  if (missing <= 0 || !mayStart) return { end, start: 0 };
  const wanted = Math.min(missing, MAX_STARTING - fresh.length + ready.length);
  const start = Math.max(0, Math.min(wanted, room));
  const isBlocked = start < wanted && !isEnding && end.length === 0;
  return { end: isBlocked ? old.slice(0, 1) : end, start };
}
