let requests = 0;

/** Requests of this process that were not answered yet; none before they are {@linkcode countRequests counted}. */
export function underWay(): number {
  return requests;
}

/** Counts from now on what `fetch()` is asked for. */
export function countRequests(): void {
  const ask = globalThis.fetch;
  globalThis.fetch = async (...args) => {
    requests++;
    try {
      return await ask(...args);
    } finally {
      requests--;
    }
  };
}
