import assert from "node:assert/strict";
import type {
  ClaimedSession,
  ReportResult,
  SessionReport,
} from "../../src/apps/sessions/schemas/leases.ts";
import type { TestGrid } from "./grid.ts";
import { readText } from "./read_text.ts";
import { headersFor, learn } from "./worker_proofs.ts";

/** A response of the API with its body. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any -- a test says what it expects of it
  readonly body: any;
  readonly text: string;
}

/** Short forms of requests that many tests make. */
export interface Api {
  call(method: string, path: string, json?: unknown): Promise<Answer>;
  /** Makes a pool named "pool" of the local provider; returns it. */
  pool(fields?: Readonly<Record<string, unknown>>): Promise<Answer["body"]>;
  /** Registers a worker in "pool"; returns its id. */
  worker(fields?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Asks for a session; returns it. */
  session(fields?: Readonly<Record<string, unknown>>): Promise<Answer["body"]>;
  /** Undefined: there was none. */
  claim(workerId: string): Promise<ClaimedSession | undefined>;
  /** Reports on a session that was claimed; returns what became of it. */
  report(
    workerId: string,
    claimed: Pick<ClaimedSession, "id" | "fencing_token">,
    status: SessionReport["status"],
    fields?: Partial<SessionReport>,
  ): Promise<ReportResult["result"]>;
  /** A session that runs on a new worker, with its browser at `endpoint`. */
  running(
    fields?: Readonly<Record<string, unknown>>,
    endpoint?: string,
  ): Promise<{ readonly workerId: string; readonly claimed: ClaimedSession }>;
}

/** The API of a grid; `headers` go with every request. */
export function createApiClient(
  grid: TestGrid,
  headers: Readonly<Record<string, string>> = {},
): Api {
  async function call(method: string, path: string, json?: unknown) {
    const response = await grid.request(`/v1${path}`, {
      method,
      json,
      headers: { ...headersFor(method, path), ...headers },
    });
    const text = await readText(response);
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    const body = isJson ? JSON.parse(text) : text;
    if (response.ok) learn(path, { sent: json, answered: body });
    return {
      status: response.status,
      headers: response.headers,
      text,
      body,
    };
  }
  async function expect(status: number, asked: Promise<Answer>) {
    const answer = await asked;
    assert.equal(answer.status, status, answer.text);
    return answer.body;
  }
  const api: Api = {
    call,
    pool: (fields = {}) =>
      expect(
        201,
        call("POST", "/workerpool/pools", {
          name: "pool",
          provider_type: "local",
          ...fields,
        }),
      ),
    async worker(fields = {}) {
      const { worker } = await expect(
        201,
        call("POST", "/workerpool/workers", {
          work_pool_id: "pool",
          ...fields,
        }),
      );
      return worker.id;
    },
    session: (fields = {}) => expect(201, call("POST", "/sessions", fields)),
    async claim(workerId) {
      const { status, body } = await call(
        "POST",
        `/workerpool/workers/${workerId}/claim-session`,
      );
      return status === 204 ? undefined : body.sessions[0];
    },
    async report(workerId, { id, fencing_token }, status, fields = {}) {
      const answer = await expect(
        200,
        call("PUT", `/workerpool/workers/${workerId}/heartbeat`, {
          sessions: [{ session_id: id, fencing_token, status, ...fields }],
        }),
      );
      return answer.reports[0].result;
    },
    async running(
      fields = {},
      endpoint = "ws://127.0.0.1:9/devtools/browser/x",
    ) {
      const { id } = await api.session(fields);
      const workerId = await api.worker();
      const claimed = await api.claim(workerId);
      assert.equal(claimed?.id, id);
      assert.ok(claimed);
      await api.report(workerId, claimed, "running", { endpoint });
      return { workerId, claimed };
    },
  };
  return api;
}

/** Asserts a refusal: its code, that it is a problem, and that its detail says what would be accepted. */
export function assertRefused(
  { status, headers, body }: Answer,
  expected: { readonly status: number; readonly code: string },
  detail: RegExp = /expected/,
): void {
  assert.equal(body.code, expected.code, JSON.stringify(body));
  assert.equal(status, expected.status);
  assert.equal(headers.get("content-type"), "application/problem+json");
  assert.match(body.detail, detail);
}
