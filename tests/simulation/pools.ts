/** A pool as its operator set it. */
export interface PoolPlan {
  readonly name: string;
  readonly max_sessions?: number;
  readonly max_sessions_per_worker?: number;
  readonly max_queue?: number;
  readonly workers: number;
}

/** The pools that a run begins with. */
export const POOLS: readonly PoolPlan[] = [
  { name: "open", workers: 2, max_queue: 40 },
  {
    name: "narrow",
    max_sessions: 6,
    max_sessions_per_worker: 3,
    max_queue: 8,
    workers: 3,
  },
  { name: "single", workers: 1 },
];
