/**
 * Functions that parse external text take linear time. Each receives text of the maximum size that makes careless
 * patterns and loops slow.
 *
 * @module
 */
import assert from "node:assert/strict";
import { z } from "@hono/zod-openapi";
import { sessionInputSchema } from "../../src/apps/sessions/schemas.ts";
import { poolInputSchema } from "../../src/apps/workerpool/schemas.ts";
import { workerInputSchema } from "../../src/apps/workers/schemas.ts";
import {
  claimInputSchema,
  heartbeatInputSchema,
} from "../../src/apps/workers/schemas/service.ts";
import { readKey } from "../../src/http/auth/auth.ts";
import { removeEndSlash } from "../../src/core/text.ts";
import {
  argumentsSchema,
  proxySchema,
  versionSchema,
} from "../../src/core/browser_spec.ts";
import { parseMemory } from "../../src/core/schema.ts";
import { environmentSchema } from "../../src/core/environment.ts";
import { isNetwork } from "../../src/core/network.ts";
import { toWellFormed } from "../../src/db/well_formed.ts";
import { isReadOnly } from "../../src/db/is_read_only.ts";
import { GridError } from "../../src/core/errors.ts";
import { toProblem } from "../../src/http/problem_response.ts";
import { describeFaults } from "../../src/http/validation_issues.ts";
import { parseKeyPrefix, redactKeys } from "../../src/core/redact.ts";
import { createHostMatcher } from "../../src/http/server/known_hosts.ts";
import { isHostEntry } from "../../src/core/network.ts";
import { describeError } from "../../src/core/log.ts";
import { isLoopback } from "../../src/core/network.ts";
import {
  MAX_MESSAGE_BYTES,
  parseMessage,
  refusedMessageSchema,
} from "../../src/tunnel/protocol.ts";
import { nameKnownMembers } from "../../src/http/openapi/unknown_members.ts";
import { renderTarget } from "../../src/gateway/devtools/render.ts";
import { parseConnectQuery } from "../../src/gateway/connect.ts";
import { createSocketRoutes } from "../../src/gateway/socket_routes.ts";
import { RouteTable } from "../../src/http/auth/route_table.ts";
import { createStartError } from "../../src/providers/local/start_error.ts";
import { timeRatio } from "../support/time_ratio.ts";

/** Maximum sizes of a body, a head and a browser's output. */
const BODY = 2 * 2 ** 20;
const HEAD = 64 * 2 ** 10;
const OUTPUT = 2 ** 20;

const MOST = 2.5;

const ROUTES = new RouteTable(
  createSocketRoutes({ get: () => Promise.reject(new Error("unused")) }),
);

/** Text that, when repeated, begins many matches and ends none. */
const PIECES = [
  "a-",
  "a.",
  "a:",
  "://",
  "a://",
  "a://b",
  "@",
  "://@",
  "http://a:b",
  "bg_",
  "bg_aaaaaaaa_",
  "ct_",
  "--",
  "--a-",
  "-cmd",
  "/",
  "//",
  "/a",
  "\\",
  "\\\\u00",
  "\\ud8",
  "0",
  "1.",
  "1",
  "1:",
  "::",
  "=",
  "a=",
  "[",
  "{",
  "<",
  "%",
  "%41",
  " ",
  "\n",
  "\t ",
  "\0",
  "\ud800",
  "ä",
  "'",
  '"',
  "failed to open ",
  "json+",
  ";",
  "; ",
  ",",
  "?token=",
  "--a/*",
  "/*",
  "lib",
  "x.html",
  "/x",
];

function repeated(piece: string, size: number, end: string): string {
  return piece.repeat(Math.ceil(size / piece.length)).slice(0, size) + end;
}

/** Functions of text, and the maximum length of the text. */
const FUNCTIONS: Readonly<
  Record<string, readonly [size: number, work: (text: string) => unknown]>
> = {
  withoutKeys: [BODY, redactKeys],
  prefixOf: [HEAD, parseKeyPrefix],
  keyOf: [HEAD, (text) =>
    readKey({
      headers: new Headers({ authorization: `Bearer ${toHeaderText(text)}` }),
      query: new URLSearchParams({ token: text }),
    })],
  describeError: [BODY, (text) => describeError(new Error(text))],
  toProblem: [
    BODY,
    (text) =>
      toProblem(new GridError("invalid_request", text, { text, list: [text] })),
  ],
  isNetwork: [HEAD, isNetwork],
  isLoopback: [HEAD, isLoopback],
  isHostEntry: [HEAD, isHostEntry],
  knownHosts: [
    HEAD,
    createHostMatcher({
      host: "127.0.0.1",
      api_url: "http://127.0.0.1:8765",
      allowed_hosts: ["*.grid.example"],
    }),
  ],
  withoutEndSlash: [HEAD, (text) => removeEndSlash(`http://a/${text}x`)],
  routes: [HEAD, (text) => ROUTES.find("GET", `/sessions/${text}`)],
  sessionOfQuery: [
    HEAD,
    (text) =>
      orRejected(() =>
        parseConnectQuery(new URLSearchParams({ [text]: text }))
      ),
  ],
  parseMemory: [BODY, parseMemory],
  version: [BODY, (text) => versionSchema.safeParse(text)],
  proxy: [BODY, (text) => proxySchema.safeParse({ proxy_url: text })],
  proxy_url: [
    BODY,
    (text) => proxySchema.safeParse({ proxy_url: `http://a${text}` }),
  ],
  argument: [BODY, (text) => argumentsSchema.safeParse([`--a${text}`])],
  variable: [
    BODY,
    (text) => environmentSchema.safeParse({ [`A${text}`]: text }),
  ],
  session: [BODY, (text) =>
    sessionInputSchema.safeParse({
      work_pool_id: text,
      version: text,
      labels: { [text]: text },
      resource_limits: { memory: text },
    })],
  unknown_member: [BODY, (text) => sessionInputSchema.safeParse({ [text]: 1 })],
  pool: [BODY, (text) =>
    poolInputSchema.safeParse({
      name: text,
      provider_type: text,
      provider_config: { [text]: text },
      allowed_arguments: [`--a${text}`],
    })],
  worker: [BODY, (text) =>
    workerInputSchema.safeParse({
      id: text,
      name: text,
      work_pool_id: text,
      secret: text,
      ip_address: text,
    })],
  claim: [
    BODY,
    (text) => claimInputSchema.safeParse({ request_id: text, obeying: [text] }),
  ],
  report: [BODY, (text) =>
    heartbeatInputSchema.safeParse({
      sessions: [{
        session_id: text,
        fencing_token: 1,
        status: "running",
        endpoint: `ws://${text}`,
        logs: text,
        progress: [text],
      }],
    })],
  tunnel_message: [MAX_MESSAGE_BYTES, (text) =>
    parseMessage(
      refusedMessageSchema,
      JSON.stringify({ type: "refused", stream_id: text, reason: text }),
    )],
  cdp_target: [OUTPUT, (text) =>
    renderTarget(
      { devtoolsFrontendUrl: text, webSocketDebuggerUrl: text },
      () => "ws://127.0.0.1/",
    )],
  browser_output: [
    OUTPUT,
    (text) => createStartError("/chrome", "it ended", text),
  ],
  toWellFormed: [2 ** 18, (text) => toWellFormed(["", [`"\\u0000${text}`]])],
  readsOnly: [HEAD, isReadOnly],
};

function toHeaderText(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, " ");
}

function orRejected(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof GridError)) throw error;
    return error;
  }
}

nameKnownMembers();

for (const [name, [most, work]] of Object.entries(FUNCTIONS)) {
  Deno.test(`${name} takes linear time on text that begins many matches and ends none`, () => {
    for (const piece of PIECES) {
      assertLinear(`${name} of ${JSON.stringify(piece)}`, {
        most,
        make: (size) => repeated(piece, size, "!"),
        work,
      });
    }
  });
}

/** Inputs with many parts: handling one part must not read all the others. */
const MANY: Readonly<
  Record<string, readonly [count: number, work: (count: number) => unknown]>
> = {
  "a query of many variables": [
    8_000,
    (count) =>
      orRejected(() =>
        parseConnectQuery(
          new URLSearchParams(pairs(count, (at) => [`env.A${at}`, "1"])),
        )
      ),
  ],
  "a query of many labels": [
    8_000,
    (count) =>
      orRejected(() =>
        parseConnectQuery(
          new URLSearchParams(pairs(count, (at) => ["label", `a${at}=1`])),
        )
      ),
  ],
  "a body of many unknown members": [
    50_000,
    (count) => sessionInputSchema.safeParse(object(count)),
  ],
  "a body of many faults": [20_000, (count) => {
    const { error } = z.record(z.string(), z.string()).safeParse(object(count));
    return describeFaults(error?.issues ?? []);
  }],
  "a heartbeat of many reports": [
    10_000,
    (count) =>
      heartbeatInputSchema.safeParse({
        sessions: pairs(count, (at) => ["session_id", String(at)]).map((pair) =>
          Object.fromEntries([pair])
        ),
      }),
  ],
};

for (const [name, [most, work]] of Object.entries(MANY)) {
  Deno.test(`${name} takes linear time`, () => {
    assertLinear(name, { most, make: (size) => size, work });
  });
}

/** Duration below which work on the maximum input is harmless and not compared. Quadratic work takes seconds. */
const QUICK_MS = 100;

function assertLinear<T>(
  name: string,
  { most, make, work }: {
    readonly most: number;
    readonly make: (size: number) => T;
    readonly work: (input: T) => unknown;
  },
): void {
  const isLinear = (ratio: number, largeMs: number) =>
    ratio <= MOST || largeMs < QUICK_MS;
  const { ratio, smallMs, largeMs } = timeRatio({
    make,
    work,
    size: most,
    isEnough: isLinear,
  });
  assert.ok(
    isLinear(ratio, largeMs),
    `${name}: ${smallMs} ms, then ${largeMs} ms for twice the size, expected at most ${MOST} times as much`,
  );
}

function pairs(
  count: number,
  pair: (at: number) => readonly [string, string],
): string[][] {
  return Array.from({ length: count }, (_, at) => [...pair(at)]);
}

function object(count: number): Record<string, unknown> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`k${at}`, at]),
  );
}
