import assert from "node:assert/strict";
import fc from "fast-check";
import {
  createSpanId,
  createTraceId,
  findTraceId,
  parseTraceparent,
  renderTraceparent,
} from "../../../src/core/trace/trace_context.ts";
import { timeRatio } from "../../support/time_ratio.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

Deno.test("parseTraceparent() reads ids and the flag of sampling", () => {
  const ids = { traceId: TRACE, spanId: SPAN };
  for (
    const [header, isSampled] of [
      [`00-${TRACE}-${SPAN}-01`, true],
      [`00-${TRACE}-${SPAN}-00`, false],
      [`00-${TRACE}-${SPAN}-03`, true],
      [`00-${TRACE}-${SPAN}-fe`, false],
      [`cc-${TRACE}-${SPAN}-01`, true],
      [`cc-${TRACE}-${SPAN}-01-later-fields`, true],
    ] as const
  ) {
    assert.deepEqual(parseTraceparent(header), { ...ids, isSampled }, header);
  }
});

Deno.test("parseTraceparent() ignores what the specification calls invalid", () => {
  for (
    const header of [
      undefined,
      null,
      "",
      "00",
      `ff-${TRACE}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01-extra`,
      `00-${TRACE}-${SPAN}-01-`,
      `cc-${TRACE}-${SPAN}-01.x`,
      `00-${"0".repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${"0".repeat(16)}-01`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      `00-${TRACE.slice(1)}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-1`,
      `00-${TRACE}-${SPAN}-zz`,
      ` 00-${TRACE}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01\n`,
      `cc-${TRACE}-${SPAN}-01-${"x".repeat(1_000)}`,
    ]
  ) assert.equal(parseTraceparent(header), undefined, String(header));
});

Deno.test("renderTraceparent() is the reverse of parseTraceparent()", () => {
  const hex = (length: number) =>
    fc.string({
      unit: fc.constantFrom(..."0123456789abcdef"),
      minLength: length,
      maxLength: length,
    }).filter((text) => !/^0+$/.test(text));
  fc.assert(
    fc.property(
      hex(32),
      hex(16),
      fc.boolean(),
      (traceId, spanId, isSampled) => {
        const context = { traceId, spanId, isSampled };
        const header = renderTraceparent(context);
        assert.deepEqual(parseTraceparent(header), context);
        assert.equal(findTraceId(header), traceId);
      },
    ),
  );
});

Deno.test("parseTraceparent() never throws, and returns only valid ids", () => {
  const part = fc.oneof(
    fc.string(),
    fc.constantFrom("00", "ff", "01", TRACE, SPAN, "-", "--", ""),
  );
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 8 }),
      fc.string(),
      (parts, tail) => {
        for (const header of [parts.join("-"), parts.join("-") + tail]) {
          const context = parseTraceparent(header);
          if (context === undefined) continue;
          assert.match(context.traceId, /^(?!0+$)[0-9a-f]{32}$/);
          assert.match(context.spanId, /^(?!0+$)[0-9a-f]{16}$/);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

Deno.test("parseTraceparent() takes no longer for a long header", () => {
  for (const unit of ["0", "-", "00-", `cc-${TRACE}-${SPAN}-01-`]) {
    const { ratio, largeMs } = timeRatio({
      make: (size) => unit.repeat(size),
      work: (header) => parseTraceparent(header),
      size: 200_000,
      isEnough: (ratio, largeMs) => ratio < 3 || largeMs < 1,
    });
    assert.ok(ratio < 3 || largeMs < 1, `${unit}: ${largeMs} ms`);
  }
});

Deno.test("new ids are valid and differ", () => {
  const ids = new Set(Array.from({ length: 100 }, createTraceId));
  assert.equal(ids.size, 100);
  for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
  assert.match(createSpanId(), /^[0-9a-f]{16}$/);
});
