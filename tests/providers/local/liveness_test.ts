import assert from "node:assert/strict";
import process from "node:process";
import { systemClock } from "../../../src/async/clock.ts";
import { deadline } from "../../../src/async/deadline.ts";
import { local } from "../../../src/providers/local/provider.ts";
import { HeldSession } from "../../../src/worker/held_session.ts";
import type { Report } from "../../../src/worker/report.ts";
import {
  readProcessStat,
  readProcFile,
} from "../../../src/providers/local/process/process_stat.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { cdpClient } from "../../support/cdp_client.ts";
import { createFakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";

const never = new AbortController().signal;

/** Starts a real browser; its processes are listed on Linux only. */
async function scene() {
  await using stack = new AsyncDisposableStack();
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  stack.defer(() => Deno.remove(dataDir, { recursive: true }));
  const host = stack.use(
    await local.open(local.configSchema.parse({}), {
      gridId: "grid-1",
      workerId: "worker-1",
      dataDir,
    }),
  );
  const browser = await host.start(browserSpec(), "session-1", never);
  stack.defer(() => browser.stop(0));
  const leader = Number(browser.details["pid"]);
  const owned = stack.move();
  return {
    browser,
    /** Probes the browser with a timeout of one second. */
    async probe() {
      using patience = deadline(systemClock, 1_000);
      await browser.probe?.(patience.signal);
    },
    /** Sends a signal to the browser's processes of a type. */
    signal: (type: string, signal: "SIGSTOP" | "SIGCONT" | "SIGKILL") => {
      const pids = findGroup(leader).filter((pid) => readType(pid) === type);
      assert.ok(pids.length > 0, `it has a ${type}`);
      for (const pid of pids) process.kill(pid, signal);
    },
    group: () => findGroup(leader),
    signalAll: (signal: "SIGSTOP") => process.kill(-leader, signal),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function findGroup(leader: number): readonly number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name))
    .filter((pid) => {
      const stat = pid > 0 ? readProcessStat(pid) : undefined;
      // Ended processes may wait to be reaped.
      return stat?.group === leader && stat.state !== "Z";
    });
}

function readType(pid: number): string | undefined {
  return /--type=([a-z-]+)/.exec(readProcFile(`/proc/${pid}/cmdline`))?.[1];
}

/** Resolves when a probe reports the fault: the system takes a moment to deliver a signal. */
async function isFaulty(
  { probe }: { readonly probe: () => Promise<void> },
  words: RegExp,
): Promise<void> {
  await eventually(
    `a probe says ${words}`,
    () => probe().then(() => false, (error) => words.test(String(error))),
  );
}

Deno.test("a probe distinguishes a busy browser from one whose processes are stopped or gone", async (t) => {
  await using s = await scene();
  const origin = s.browser.endpoint.href.replace(
    /^ws(.*)\/devtools.*/,
    "http$1",
  );
  const [page] = await (await fetch(`${origin}/json/list`)).json();

  await t.step(
    "it responds during an endless script and a debugger's pause",
    async () => {
      await s.probe();
      await using client = await cdpClient(page.webSocketDebuggerUrl);
      await client.call("Debugger.enable");
      await client.evaluate("setTimeout(() => { for (;;) debugger; })");
      await eventually(
        "it is paused",
        () => client.call("Debugger.stepOver").then(() => true, () => false),
      );
      await s.probe();
      await client.call("Debugger.disable");
      await s.probe();
    },
  );

  await t.step(
    "a stopped zygote is a fault until it continues",
    async () => {
      s.signal("zygote", "SIGSTOP");
      await isFaulty(s, /a zygote process is stopped/);
      s.signal("zygote", "SIGCONT");
      await s.probe();
    },
  );

  await t.step(
    "stopped pages are a fault if all of them are stopped",
    async () => {
      s.signal("renderer", "SIGSTOP");
      await isFaulty(s, /all its page processes are stopped/);
      s.signal("renderer", "SIGCONT");
      await s.probe();
    },
  );

  await t.step("a zygote that has ended is a permanent fault", async () => {
    s.signal("zygote", "SIGKILL");
    await isFaulty(s, /a zygote process has ended/);
  });
});

Deno.test("a session is crashed if all processes of its browser are stopped, and none of them is left", async () => {
  await using s = await scene();
  const clock = createFakeClock();
  const reports: Report[] = [];
  const held = HeldSession.adopt(s.browser, 1, {
    clock,
    isHostUp: async () => await true,
    onReport: (report) => void reports.push(report),
  });
  s.signalAll("SIGSTOP");
  await eventually("it is noticed", async () => {
    clock.advance(5_000);
    return await reports.at(-1)?.status === "crashed";
  });
  assert.match(reports.at(-1)?.status_reason ?? "", /does not respond/);
  await held.ended;
  assert.deepEqual(s.group(), []);
});
