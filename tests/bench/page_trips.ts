import type { CdpClient } from "../support/cdp_client.ts";

/** Returns the times of `calls` round trips to a page, one after the other, in milliseconds. */
export async function measurePageTrips(
  page: CdpClient,
  calls: number,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let call = 0; call < calls; call++) {
    const startedAt = performance.now();
    await page.evaluate("1");
    times.push(performance.now() - startedAt);
  }
  return times;
}
