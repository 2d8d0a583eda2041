import assert from "node:assert/strict";
import type { EventFilter } from "../../../src/client/client.ts";
import { compileFilters } from "../../../src/worker/observer/filters.ts";

const event = {
  method: "Network.responseReceived",
  target: { id: "t", type: "page", url: "https://example.com/a" },
  params: {
    response: { status: 503, url: "https://api.example/x" },
    args: [{ value: "first" }],
    empty: null,
    cached: false,
  },
};

Deno.test("a filter compares the member at its path", () => {
  const cases: readonly (readonly [EventFilter, boolean])[] = [
    [{ path: "params.response.status", operator: "eq", value: 503 }, true],
    [{ path: "params.response.status", operator: "eq", value: "503" }, false],
    [{ path: "params.response.status", operator: "ne", value: 503 }, false],
    [{ path: "params.response.status", operator: "lt", value: 503 }, false],
    [{ path: "params.response.status", operator: "le", value: 503 }, true],
    [{ path: "params.response.status", operator: "gt", value: 503 }, false],
    [{ path: "params.response.status", operator: "ge", value: 503 }, true],
    [{ path: "params.response.url", operator: "ge", value: 1 }, false],
    [{ path: "params.response.url", operator: "glob", value: "*api*" }, true],
    [{ path: "params.response.status", operator: "glob", value: "*" }, false],
    [{ path: "params.args.0.value", operator: "eq", value: "first" }, true],
    [{ path: "params.args.1.value", operator: "exists", value: false }, true],
    [{ path: "params.empty", operator: "eq", value: null }, true],
    [{ path: "params.empty", operator: "exists", value: true }, true],
    [{ path: "params.empty.more", operator: "exists", value: false }, true],
    [{ path: "params.cached", operator: "eq", value: false }, true],
    [{ path: "params.none", operator: "ne", value: 1 }, true],
    [{ path: "params.constructor", operator: "exists", value: false }, true],
    [{ path: "params.__proto__", operator: "exists", value: false }, true],
    [{ path: "target.url", operator: "glob", value: "https://*/a" }, true],
    [{ path: "method", operator: "glob", value: "Network.*" }, true],
  ];
  for (const [filter, meets] of cases) {
    assert.equal(
      compileFilters([filter])(event),
      meets,
      JSON.stringify(filter),
    );
  }
});

Deno.test("an event must meet all filters, and meets none of them if there are none to fail", () => {
  const [yes, no] = [503, 200].map((value): EventFilter => ({
    path: "params.response.status",
    operator: "eq",
    value,
  }));
  assert.ok(yes && no);
  assert.ok(!compileFilters([yes, no])(event));
  assert.ok(compileFilters([yes, yes])(event));
  assert.ok(compileFilters([])(event));
});
