import type { BrowserStats } from "../../../core/provider.ts";
import { apiStatus } from "../api/api_error.ts";
import type { KubernetesClient } from "../api/client.ts";

/** Factors of the suffixes of quantities. */
const SUFFIXES: Readonly<Record<string, number>> = {
  "": 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** Responses of a cluster without a metrics server, or without the right to read it, and of one that has not measured the pod yet. */
const UNMEASURED: ReadonlySet<number | undefined> = new Set([403, 404, 503]);

/** Measures a pod. CPU is the mean of the metrics server's last interval. Returns nothing if the cluster does not measure. */
export async function readStats(
  client: KubernetesClient,
  name: string,
): Promise<BrowserStats> {
  try {
    const { containers } = await client.podMetrics(name);
    let cores = 0;
    let bytes = 0;
    for (const { usage } of containers) {
      cores += parseQuantity(usage.cpu) ?? 0;
      bytes += parseQuantity(usage.memory) ?? 0;
    }
    return { cpuPercent: 100 * cores, memoryMb: bytes / 2 ** 20 };
  } catch (error) {
    if (UNMEASURED.has(apiStatus(error))) return {};
    throw error;
  }
}

/**
 * Parses a quantity such as "250m", "1.5" or "128Ki"; returns undefined for another form.
 *
 * @see {@link https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ Quantity}
 */
export function parseQuantity(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([a-zA-Z]{0,2})$/.exec(text);
  const factor = SUFFIXES[match?.[2] ?? ""];
  return match && factor !== undefined ? Number(match[1]) * factor : undefined;
}
