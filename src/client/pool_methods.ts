import type { z } from "@hono/zod-openapi";
import type {
  NewPoolWire,
  poolInputSchema,
  PoolPatch,
  poolReplacementSchema,
  PoolWire,
  Pressure,
} from "../apps/workerpool/schemas.ts";
import type { CallOptions, Transport } from "./transport.ts";
import type { Page, PageQuery } from "./pages.ts";

/** Body of a new pool; defaults may be left out. */
export type PoolBody = z.input<typeof poolInputSchema>;

/** Which work pools to list. */
export interface PoolQuery extends PageQuery {
  readonly status?: PoolWire["status"] | undefined;
  readonly provider_type?: string | undefined;
}

type PoolCall = (ref: string, options?: CallOptions) => Promise<PoolWire>;

/** Endpoints of work pools; `ref` is the id or the name of one. */
export interface PoolMethods {
  createPool(body: PoolBody, options?: CallOptions): Promise<NewPoolWire>;
  listPools(
    query?: PoolQuery,
    options?: CallOptions,
  ): Promise<Page<PoolWire>>;
  readonly getPool: PoolCall;
  /** What is not given takes its default. */
  replacePool(
    ref: string,
    body: z.input<typeof poolReplacementSchema>,
    options?: CallOptions,
  ): Promise<PoolWire>;
  /** What is given is changed. */
  patchPool(
    ref: string,
    patch: PoolPatch,
    options?: CallOptions,
  ): Promise<PoolWire>;
  /** @param options `force` deletes the pool even if workers are online. */
  deletePool(
    ref: string,
    options?: CallOptions & { readonly force?: boolean | undefined },
  ): Promise<void>;
  readonly pausePool: PoolCall;
  readonly resumePool: PoolCall;
  readonly drainPool: PoolCall;
  /** One of the three above. */
  setPoolStatus(
    ref: string,
    verb: "pause" | "resume" | "drain",
    options?: CallOptions,
  ): Promise<PoolWire>;
  poolPressure(ref: string, options?: CallOptions): Promise<Pressure>;
}

const POOLS = "/v1/workerpool/pools";

/** The methods over `exchange`. */
export function poolMethods({ json, text }: Transport): PoolMethods {
  const pathOf = (ref: string) => `${POOLS}/${encodeURIComponent(ref)}`;
  const setPoolStatus: PoolMethods["setPoolStatus"] = (ref, verb, options) =>
    json("POST", `${pathOf(ref)}/${verb}`, options);
  return {
    createPool: (body, options) => json("POST", POOLS, { ...options, body }),
    listPools: (query, options) =>
      json("GET", POOLS, { ...options, query: { ...query } }),
    getPool: (ref, options) => json("GET", pathOf(ref), options),
    replacePool: (ref, body, options) =>
      json("PUT", pathOf(ref), { ...options, body }),
    patchPool: (ref, body, options) =>
      json("PATCH", pathOf(ref), { ...options, body }),
    async deletePool(ref, { force, ...options } = {}) {
      await text("DELETE", pathOf(ref), { ...options, query: { force } });
    },
    pausePool: (ref, options) => setPoolStatus(ref, "pause", options),
    resumePool: (ref, options) => setPoolStatus(ref, "resume", options),
    drainPool: (ref, options) => setPoolStatus(ref, "drain", options),
    setPoolStatus,
    poolPressure: (ref, options) =>
      json("GET", `${pathOf(ref)}/pressure`, options),
  };
}
