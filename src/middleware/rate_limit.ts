import { z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { getCaller } from "../http/auth/access.ts";
import { isAnonymous } from "../core/caller.ts";
import {
  createAddressReader,
  toNetworkKey,
} from "../http/server/client_address.ts";
import { GridError } from "../core/errors.ts";
import {
  defineMiddleware,
  type GridEnv,
  type MiddlewareCore,
} from "../core/middleware.ts";
import {
  type BucketLevel,
  type BucketLimit,
  TokenBuckets,
} from "./token_buckets.ts";

function limitSchema(perSecond: number, burst: number) {
  return z.strictObject({
    requests_per_second: z.number().positive().default(perSecond),
    burst: z.int().min(1).default(burst),
  }).nullable().default({ requests_per_second: perSecond, burst });
}

const optionsSchema = z.strictObject({
  per_key: limitSchema(50, 200).describe(
    "Limit of each key; null for none. Callers without a key have no such limit",
  ),
  per_address: limitSchema(100, 400).describe(
    "Limit of each client address, with or without a key; null for none",
  ),
  exempt_paths: z.array(z.string()).optional().describe(
    "Paths that are not counted, unless the key is rejected; * matches any text without a slash. By default health checks and the requests that keep workers and their sessions alive",
  ),
  max_buckets: z.int().min(1).default(50_000).describe(
    "Maximum number of keys and of addresses that are counted; the least recently used ones are dropped",
  ),
});

type Options = z.infer<typeof optionsSchema>;

/**
 * Limits the rate of requests, and reports the remaining quota in every response.
 *
 * Addresses are counted before the key is checked, so that guessed keys count too; keys are counted after the check. On
 * exempt paths only rejected keys are counted, in a separate bucket for each address. IPv6 clients are counted by /64
 * network.
 *
 * @see {@link https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-11 RateLimit header fields for HTTP, draft 11}
 */
export const rateLimit = defineMiddleware({
  name: "rate_limit",
  isOnByDefault: false,
  optionsSchema,
  beforeAuth: limitAddresses,
  create: limitKeys,
});

function limitKeys(
  options: Options,
  { clock }: MiddlewareCore,
): MiddlewareHandler<GridEnv> {
  const { per_key, max_buckets } = options;
  const isExempt = createExemption(options);
  const buckets = per_key && new TokenBuckets(per_key, max_buckets);
  return async function limitKey(c, next) {
    const caller = getCaller(c);
    if (!buckets || isAnonymous(caller) || isExempt(c)) return await next();
    const level = buckets.take(caller.id, clock.monotonic());
    const policy = { name: "key", limit: per_key, level };
    if (!level.isAllowed) rejectLimited(c, policy);
    await next();
    setLimitHeaders(c, policy);
  };
}

function limitAddresses(
  options: Options,
  { clock, settings }: MiddlewareCore,
): MiddlewareHandler<GridEnv> | undefined {
  const { per_address, max_buckets } = options;
  if (!per_address) return undefined;
  const addressOf = createAddressReader(settings.trusted_proxies);
  const isExempt = createExemption(options);
  const buckets = new TokenBuckets(per_address, max_buckets);
  const guesses = new TokenBuckets(per_address, max_buckets);
  return async function limitAddress(c, next) {
    const address = addressOf(c);
    if (address === undefined) return await next();
    const key = toNetworkKey(address);
    const createPolicy = (level: BucketLevel) => ({
      name: "address",
      limit: per_address,
      level,
    });
    if (!isExempt(c)) {
      const policy = createPolicy(buckets.take(key, clock.monotonic()));
      if (!policy.level.isAllowed) rejectLimited(c, policy);
      await next();
      return setLimitHeaders(c, policy);
    }
    const policy = createPolicy(guesses.peek(key, clock.monotonic()));
    if (!policy.level.isAllowed) rejectLimited(c, policy);
    await next();
    if (c.res.status === 401) guesses.take(key, clock.monotonic());
  };
}

function createExemption({ exempt_paths }: Options) {
  const patterns = exempt_paths?.map((path) =>
    new RegExp(`^${path.split("*").map(RegExp.escape).join("[^/]*")}$`)
  );
  return (c: Context<GridEnv>) =>
    patterns?.some((pattern) => pattern.test(c.req.path)) ??
      c.get("route")?.declaration.isUnlimited ?? false;
}

interface Policy {
  readonly name: string;
  readonly limit: BucketLimit;
  readonly level: BucketLevel;
}

function setLimitHeaders(
  c: Context<GridEnv>,
  { name, limit, level }: Policy,
): void {
  const { burst, requests_per_second } = limit;
  const window = Math.ceil(burst / requests_per_second);
  const append = { append: true };
  c.header("RateLimit-Policy", `"${name}";q=${burst};w=${window}`, append);
  c.header(
    "RateLimit",
    `"${name}";r=${level.remaining};t=${level.nextSeconds}`,
    append,
  );
}

function rejectLimited(c: Context<GridEnv>, policy: Policy): never {
  const { name, limit, level } = policy;
  setLimitHeaders(c, policy);
  c.header("Retry-After", String(level.nextSeconds));
  throw new GridError(
    "rate_limited",
    `Cannot serve the request: the limit of its ${name} is used up, expected at most ${limit.requests_per_second} a second; try again in ${level.nextSeconds} s`,
    { policy: name },
  );
}
