import type { SchemaInput } from "../core/schema.ts";
import type {
  NewPoolWire,
  PoolPatch,
  PoolSchemas,
  PoolWire,
  Pressure,
} from "../apps/workerpool/schemas.ts";
import type { ProviderWire } from "../apps/workerpool/schemas/providers.ts";
import type { CallOptions, Transport } from "./transport.ts";
import type { Page, PageQuery } from "./pages.ts";

/** The installed providers. */
export interface ProviderList {
  /** Providers with the schemas of their options, built-in ones first. */
  readonly items: readonly ProviderWire[];
}

/** Body of a new pool. Fields with defaults may be absent. */
export type PoolBody = SchemaInput<PoolSchemas["poolInputSchema"]>;

/** Selects work pools to list. */
export interface PoolQuery extends PageQuery {
  /** Status of the pools. */
  readonly status?: PoolWire["status"] | undefined;
  /** Name of a provider. */
  readonly provider_type?: string | undefined;
}

/** A call that returns one pool. */
export type PoolCall = (
  ref: string,
  options?: CallOptions,
) => Promise<PoolWire>;

/** Endpoints of work pools; `ref` is the id or the name of one. */
export interface PoolMethods {
  /** Creates a work pool. */
  createPool(body: PoolBody, options?: CallOptions): Promise<NewPoolWire>;
  /** Lists the work pools. */
  listPools(
    query?: PoolQuery,
    options?: CallOptions,
  ): Promise<Page<PoolWire>>;
  /** Returns a work pool. */
  readonly getPool: PoolCall;
  /** Replaces the fields of a work pool. Absent ones take their defaults. */
  replacePool(
    ref: string,
    body: SchemaInput<PoolSchemas["poolReplacementSchema"]>,
    options?: CallOptions,
  ): Promise<PoolWire>;
  /** Changes some fields of a work pool. */
  patchPool(
    ref: string,
    patch: PoolPatch,
    options?: CallOptions,
  ): Promise<PoolWire>;
  /**
   * Deletes a work pool.
   *
   * @param options With `force` the pool is deleted even if workers are online.
   */
  deletePool(
    ref: string,
    options?: CallOptions & { readonly force?: boolean | undefined },
  ): Promise<void>;
  /** Pauses a work pool: it takes no sessions. */
  readonly pausePool: PoolCall;
  /** Resumes a work pool. */
  readonly resumePool: PoolCall;
  /** Drains a work pool: it takes no sessions, and running ones continue until they end. */
  readonly drainPool: PoolCall;
  /** Pauses, resumes or drains a work pool. */
  setPoolStatus(
    ref: string,
    verb: "pause" | "resume" | "drain",
    options?: CallOptions,
  ): Promise<PoolWire>;
  /** Returns the load of a work pool. */
  getPoolPressure(ref: string, options?: CallOptions): Promise<Pressure>;
  /** Lists the providers that pools may have. */
  listProviders(options?: CallOptions): Promise<ProviderList>;
}

const POOLS = "/v1/workerpool/pools";

/** Creates the methods over `transport`. */
export function createPoolMethods(transport: Transport): PoolMethods {
  const buildPath = (ref: string) => `${POOLS}/${encodeURIComponent(ref)}`;
  const setPoolStatus: PoolMethods["setPoolStatus"] = (ref, verb, options) =>
    transport.json("POST", `${buildPath(ref)}/${verb}`, options);
  return {
    createPool: (body, options) =>
      transport.json("POST", POOLS, { ...options, body }),
    listPools: (query, options) =>
      transport.json("GET", POOLS, { ...options, query: { ...query } }),
    getPool: (ref, options) => transport.json("GET", buildPath(ref), options),
    replacePool: (ref, body, options) =>
      transport.json("PUT", buildPath(ref), { ...options, body }),
    patchPool: (ref, body, options) =>
      transport.json("PATCH", buildPath(ref), { ...options, body }),
    async deletePool(ref, { force, ...options } = {}) {
      await transport.text("DELETE", buildPath(ref), {
        ...options,
        query: { force },
      });
    },
    pausePool: (ref, options) => setPoolStatus(ref, "pause", options),
    resumePool: (ref, options) => setPoolStatus(ref, "resume", options),
    drainPool: (ref, options) => setPoolStatus(ref, "drain", options),
    setPoolStatus,
    getPoolPressure: (ref, options) =>
      transport.json("GET", `${buildPath(ref)}/pressure`, options),
    listProviders: (options) =>
      transport.json("GET", "/v1/workerpool/providers", options),
  };
}
