import fc from "fast-check";
import type {
  PoolCandidate,
  SessionRequest,
} from "../../../src/apps/workerpool/candidate.ts";
import { type Pool } from "../../../src/apps/workerpool/pool.ts";
import { poolInputSchema } from "../../../src/apps/workerpool/schemas.ts";
import { POOL_STATUSES } from "../../../src/apps/workerpool/status.ts";
import { toPoolFields } from "../../../src/apps/workerpool/pool.ts";

const browser = fc.constantFrom("chrome", "chromium", "firefox");
const minutes = fc.integer({ min: 1, max: 600 });
const environment = fc.dictionary(
  fc.constantFrom("A", "B", "C"),
  fc.string({ maxLength: 4 }),
);

const argument = fc.constantFrom(
  "--lang=de",
  "--force-dark-mode",
  "--no-sandbox",
  "--remote-debugging-port=1",
);

/** Lists of allowed arguments, including some that were stored before lists were checked. */
const allowedArguments = fc.array(
  fc.constantFrom(
    "--lang",
    "--force-*",
    "--no-*",
    "--no-sandbox",
    "--remote-*",
  ),
  { maxLength: 2 },
);

/** Pools with any combination of defaults. */
export const poolArbitrary: fc.Arbitrary<Pool> = fc.record({
  id: fc.uuid(),
  name: fc.string({ minLength: 1, maxLength: 8 }),
  status: fc.constantFrom(...POOL_STATUSES),
  priority: fc.integer({ min: -3, max: 3 }),
  default_browser: fc.option(browser),
  default_headless: fc.option(fc.boolean()),
  default_environment: fc.option(environment),
  timeout: fc.option(minutes),
  max_queue: fc.option(fc.nat(3)),
  max_timeout_minutes: fc.option(minutes),
  ready_max_age_minutes: minutes,
  allowed_arguments: fc.option(allowedArguments),
}).map(({ id, timeout, ...fields }) => ({
  ...toPoolFields({
    ...poolInputSchema.parse({ name: "x", provider_type: "local" }),
    ...fields,
    provider_secrets: null,
    default_resource_limits: timeout === null
      ? null
      : { timeout_minutes: timeout },
  }),
  id,
  createdAt: 0,
  updatedAt: 0,
}));

/** Pools with their load and the browsers of their provider. */
export const candidateArbitrary: fc.Arbitrary<PoolCandidate> = fc.record({
  pool: poolArbitrary,
  pending: fc.nat(4),
  room: fc.nat(4),
  choices: fc.array(
    fc.record({ browser, versions: fc.constant(["latest", "stable"]) }),
    { maxLength: 2 },
  ),
});

/** Requests for sessions. */
export const requestArbitrary: fc.Arbitrary<SessionRequest> = fc.record({
  browser: fc.option(browser, { nil: undefined }),
  headless: fc.option(fc.boolean(), { nil: undefined }),
  environment: fc.option(environment, { nil: undefined }),
  arguments: fc.option(fc.array(argument, { maxLength: 2 }), {
    nil: undefined,
  }),
  resource_limits: fc.option(
    fc.record({ timeout_minutes: minutes }),
    { nil: undefined },
  ),
});
