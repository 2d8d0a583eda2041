import assert from "node:assert/strict";
import { aborted } from "../../../src/async/abortable.ts";
import { ApiError } from "../../../src/client/api_error.ts";
import type { SessionLogBody } from "../../../src/client/client.ts";
import type {
  FollowOptions,
  OutputPart,
  RunningBrowser,
} from "../../../src/core/provider.ts";
import { OutputBuffer } from "../../../src/providers/kit/output_buffer.ts";
import { FollowedLogs } from "../../../src/worker/logs/followed_logs.ts";
import { createFakeClock } from "../../support/clock.ts";
import { settle } from "../../support/event_loop.ts";

const ID = "01a20ad3-1b8c-72fd-b6ee-3a52ff860a5d";

interface SceneOptions {
  /** Responds to a request. @default followed */
  readonly respond?: (body: SessionLogBody) => boolean;
  readonly followLogs?: RunningBrowser["followLogs"];
}

/** A browser whose output the test writes, and a server that records what it receives. */
function scene({ respond = () => true, ...options }: SceneOptions = {}) {
  const clock = createFakeClock();
  const output = new OutputBuffer();
  const sent: SessionLogBody[] = [];
  let readers = 0;
  async function* followLogs(
    { signal }: FollowOptions,
  ): AsyncGenerator<OutputPart, void> {
    readers++;
    void aborted(signal).then(() => output.end());
    try {
      yield* output.read();
    } finally {
      readers--;
    }
  }
  const browser: RunningBrowser = {
    sessionId: ID,
    endpoint: new URL("ws://127.0.0.1:1/"),
    details: {},
    exited: new Promise(() => {}),
    stop: () => Promise.resolve(),
    logs: () => Promise.resolve("last line"),
    ..."followLogs" in options ? {} : { followLogs },
  };
  const logs = new FollowedLogs({
    client: {
      async addSessionLogs(id, body) {
        assert.equal(id, ID);
        await Promise.resolve();
        const followed = respond(body);
        sent.push(body);
        return { followed };
      },
    },
    proof: { secret: "a-secret", instanceId: "instance" },
    clock,
    findBrowser: (id, token) => id === ID && token === 1 ? browser : undefined,
  });
  return {
    clock,
    output,
    sent,
    logs,
    follow: () => logs.follow([{ session_id: ID, fencing_token: 1 }]),
    texts: () => sent.map(({ text }) => text),
    countReaders: () => readers,
    async advance(ms: number) {
      await settle();
      clock.advance(ms);
      await settle();
    },
  };
}

Deno.test("FollowedLogs sends output only while the session is followed", async () => {
  const s = scene();
  await using _logs = s.logs;
  s.logs.follow([]);
  s.output.add("before\n");
  await s.advance(60_000);
  assert.deepEqual([s.sent, s.countReaders()], [[], 0]);
  s.follow();
  await settle();
  assert.deepEqual(s.sent, [{
    fencing_token: 1,
    text: "before\n",
    omitted_bytes: 0,
    first: true,
  }]);
  s.output.add("after\n");
  await s.advance(400);
  s.follow();
  assert.deepEqual(s.texts(), ["before\n", "after\n"]);
  assert.ok(!s.sent[1]?.first);
  s.logs.follow([]);
  await settle();
  assert.equal(s.countReaders(), 0);
});

Deno.test("FollowedLogs sends nothing for a session that it does not hold, or no longer under that token", async () => {
  const s = scene();
  await using _logs = s.logs;
  s.output.add("text\n");
  s.logs.follow([{ session_id: ID, fencing_token: 2 }]);
  s.logs.follow([{ session_id: crypto.randomUUID(), fencing_token: 1 }]);
  await settle();
  assert.deepEqual([s.sent, s.countReaders()], [[], 0]);
});

Deno.test("FollowedLogs sends at most every 400 ms, and leaves out and counts what is too much", async () => {
  const s = scene();
  await using _logs = s.logs;
  s.output.add("first\n");
  s.follow();
  await settle();
  for (let line = 0; line < 10_000; line++) s.output.add(`line ${line}\n`);
  await s.advance(399);
  assert.equal(s.sent.length, 1);
  await s.advance(1);
  const { text = "", omitted_bytes = 0 } = s.sent[1] ?? {};
  assert.ok(text.length <= 32_768);
  assert.equal(text.slice(-10), "line 9999\n");
  assert.equal(text.length + omitted_bytes, 98_890);
});

Deno.test("FollowedLogs asks every 5 s whether clients still follow, and ends when none does", async () => {
  let isFollowed = true;
  const s = scene({ respond: () => isFollowed });
  await using _logs = s.logs;
  s.output.add("text\n");
  s.follow();
  await s.advance(400);
  await s.advance(5_000);
  assert.deepEqual(s.texts(), ["text\n", ""]);
  isFollowed = false;
  await s.advance(400);
  await s.advance(5_000);
  assert.equal(s.countReaders(), 0);
  s.output.add("more\n");
  await s.advance(60_000);
  assert.equal(s.sent.length, 3);
});

Deno.test("FollowedLogs repeats a request that failed, and ends if the session is no longer held", async () => {
  const errors = [
    new ApiError("unreachable", "Cannot reach the server", 0),
    new ApiError("lease_lost", "Cannot record", 409),
  ];
  const s = scene({
    respond({ text }) {
      if (text === "one\n") return true;
      throw errors.shift();
    },
  });
  await using _logs = s.logs;
  s.output.add("one\n");
  s.follow();
  await settle();
  s.output.add("two\n");
  await s.advance(400);
  assert.equal(s.countReaders(), 1);
  await s.advance(1_000);
  assert.deepEqual([errors.length, s.countReaders()], [0, 0]);
});

Deno.test("FollowedLogs.finish() sends the rest without a pause, and waits for a second at most", async () => {
  const s = scene();
  await using _logs = s.logs;
  await s.logs.finish(ID);
  s.output.add("one\n");
  s.follow();
  await settle();
  s.output.add("two\n");
  await s.logs.finish(ID);
  assert.deepEqual(s.texts(), ["one\n", "two\n"]);
  assert.equal(s.countReaders(), 0);
});

Deno.test("FollowedLogs sends the last lines once if the provider cannot follow", async () => {
  const s = scene({ followLogs: undefined });
  await using _logs = s.logs;
  s.follow();
  await settle();
  assert.match(s.texts()[0] ?? "", /^last line\n\[its provider shows/);
  await s.advance(400);
  await s.advance(5_000);
  assert.deepEqual(s.texts().slice(1), [""]);
});
