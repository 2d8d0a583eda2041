import assert from "node:assert/strict";
import {
  formatAge,
  formatDuration,
  formatMegabytes,
  formatStep,
  formatTick,
} from "../../src/dashboard/page/format.ts";
import {
  countByMinute,
  MINUTE_MS,
} from "../../src/dashboard/page/overview/count_by_minute.ts";
import { groupEvents } from "../../src/dashboard/page/sessions/timeline_entries.ts";
import { findWebhookStatus } from "../../src/dashboard/page/webhooks/webhook_status.ts";
import { parseSearch } from "../../src/dashboard/page/sessions/filters.ts";

Deno.test("durations are shown in their largest units", () => {
  const minute = 60_000;
  for (
    const [ms, expected] of [
      [-5, "0 s"],
      [59_999, "59 s"],
      [minute, "1 min"],
      [3 * minute + 20_000, "3 min 20 s"],
      [125 * minute, "2 h 5 min"],
      [97 * 60 * minute, "4 d 1 h"],
    ] as const
  ) {
    assert.equal(formatDuration(ms), expected);
  }
  assert.equal(formatAge(46 * minute + 59_000), "46 min");
  assert.equal(formatStep(1_234), "+1.2 s");
  assert.equal(formatStep(35.4), "+35 ms");
  assert.equal(formatMegabytes(1_536), "1.5 GB");
});

Deno.test("two ticks of an axis are never alike", () => {
  const noon = Date.parse("2026-11-30T12:00:00Z");
  for (const stepMs of [500, 1_000, 15_000, 60_000, 300_000]) {
    const ticks = Array.from(
      { length: 9 },
      (_, at) => formatTick(noon + at * stepMs, stepMs),
    ).filter(Boolean);
    assert.equal(new Set(ticks).size, ticks.length, ticks.join());
    assert.match(ticks[1] ?? "", stepMs < 60_000 ? /:\d\d:/ : /^\d\d:\d\d$/);
  }
});

Deno.test("groupEvents() joins a connection with the activity that it begins or ends, unless there is time between them", () => {
  const events = [
    ["browser_started", 0],
    ["client_connected", 5_000],
    ["client_connected", 6_000],
    ["session_active", 6_010],
    ["client_disconnected", 9_000],
    ["session_idle", 12_000],
    ["session_active", 15_000],
    ["client_connected", 15_001],
    ["session_active", 15_002],
  ] as const;
  const groups = groupEvents(events.map(([event, ms], seq) => ({
    seq,
    session_id: "one",
    event,
    timestamp: new Date(ms).toISOString(),
    data: {},
  })));
  assert.deepEqual(groups.map((group) => group.map(({ seq }) => seq)), [
    [0],
    [1],
    [2, 3],
    [4],
    [5],
    [6, 7],
    [8],
  ]);
});

Deno.test("countByMinute() counts starts and ends of the last hour, and those of a server whose clock is ahead in the last minute", () => {
  const last = 1_000;
  const at = (minute: number) => new Date(minute * MINUTE_MS).toISOString();
  const { times, started, failed, ended } = countByMinute([
    { type: "session.running", timestamp: at(last) },
    { type: "session.running", timestamp: at(last + 3) },
    { type: "session.running", timestamp: at(last - 59) },
    { type: "session.running", timestamp: at(last - 60) },
    { type: "session.failed", timestamp: at(last - 1) },
    { type: "session.timed_out", timestamp: at(last - 1) },
    { type: "session.progress", timestamp: at(last) },
  ], last);
  assert.equal(times.length, 60);
  assert.deepEqual([started[0], started[59]], [1, 2]);
  assert.deepEqual([failed[58], failed[59]], [1, 0]);
  assert.deepEqual(ended, { failed: 1, timed_out: 1 });
});

Deno.test("a search text is a label or the id of a session", () => {
  const id = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";
  assert.deepEqual(parseSearch(` ${id.toUpperCase()} `), { id });
  assert.deepEqual(parseSearch("team=a=b"), { label: "team=a=b" });
  assert.deepEqual(parseSearch(""), { label: "" });
  assert.equal(parseSearch("chrome"), undefined);
  assert.equal(parseSearch("=x"), undefined);
});

Deno.test("a webhook is active, failing, paused by a person, or stopped by the grid", () => {
  const at = "2026-11-30T12:00:00.000Z";
  for (
    const [active, inactive_reason, failing_since, expected] of [
      [true, null, null, "active"],
      [true, null, at, "failing"],
      [false, "requested", at, "paused"],
      [false, "gone", at, "stopped"],
      [false, "failing", at, "stopped"],
      [false, "key", null, "stopped"],
    ] as const
  ) {
    assert.equal(
      findWebhookStatus({ active, inactive_reason, failing_since }),
      expected,
    );
  }
});
