import assert from "node:assert/strict";
import { join } from "node:path";
import {
  launch,
  type LaunchOptions,
} from "../../../src/providers/local/launch.ts";
import { readStartTime } from "../../../src/providers/local/process/process_identity.ts";
import { browserSpec } from "../../support/browser_spec.ts";

const NEVER = new AbortController().signal;

const SPEC = browserSpec();

/** Output of a browser that is ready. */
const READY = "echo DevTools listening on ws://127.0.0.1:1/devtools/browser/1";

/** Options to launch a shell script instead of a browser. Disposal removes its folder. */
interface Stage extends AsyncDisposable {
  readonly options: LaunchOptions;
  /** A file beside the session's folder. */
  file(name: string): string;
}

async function stage(
  script: string,
  overrides: Partial<LaunchOptions> = {},
): Promise<Stage> {
  const home = await Deno.makeTempDir();
  const path = join(home, "browser.sh");
  await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return {
    options: {
      spec: SPEC,
      sessionId: "session-1",
      gridId: "grid-1",
      browser: { path, source: "test", headlessOnly: false },
      folder: join(home, "session-1"),
      sandbox: false,
      arguments: [],
      ...overrides,
    },
    file: (name) => join(home, name),
    [Symbol.asyncDispose]: () => Deno.remove(home, { recursive: true }),
  };
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("launch() of a browser that dies rejects with its exit code, last output and the next step", async () => {
  await using test = await stage(
    "for i in $(seq 30); do echo line $i; done; echo the last words >&2; exit 41",
  );
  const error = await launch(test.options, NEVER).then(
    () => assert.fail("it started"),
    (reason: Error) => reason,
  );
  assert.match(
    error.message,
    /^Cannot start the browser: the browser ended with exit code 41\. /,
  );
  assert.match(error.message, /browsergrid check/);
  assert.match(error.message, /\nline 30\nthe last words$/);
  assert.doesNotMatch(error.message, /\nline 5\n/);
  assert.ok(!await isThere(test.options.folder));
});

for (
  const [output, advice] of [
    ["No usable sandbox! Update your kernel", /set sandbox to off/],
    [
      "Running as root without --no-sandbox is not supported",
      /set sandbox to off/,
    ],
    [
      "x: error while loading shared libraries: libnss3.so: cannot open",
      /package manager/,
    ],
    ["Missing X server or $DISPLAY", /Xvfb, or ask for headless: true/],
  ] as const
) {
  Deno.test(`launch() suggests a next step for "${output}"`, async () => {
    await using test = await stage(`echo '${output}'; exit 1`);
    await assert.rejects(launch(test.options, NEVER), advice);
  });
}

Deno.test("launch() ends a browser and its children if it writes no address in time", async () => {
  await using test = await stage(
    `sleep 300 & echo $$ > "$0.pid"; echo still thinking; wait`,
    { timeoutMs: 200 },
  );
  await assert.rejects(
    launch(test.options, NEVER),
    /it wrote no address within 0.2 s\.[^]*still thinking/,
  );
  const pid = Number(await Deno.readTextFile(test.file("browser.sh.pid")));
  assert.equal(await readStartTime(pid), undefined);
  assert.ok(!await isThere(test.options.folder));
});

Deno.test("launch() of a missing browser rejects with the reason and ends no other process", async () => {
  await using test = await stage("");
  await Deno.remove(test.options.browser.path);
  await assert.rejects(
    launch(test.options, NEVER),
    /Cannot start the browser: .*exit code 127[^]*No such file/,
  );
  assert.ok(!await isThere(test.options.folder));
});

Deno.test("launch() records a browser before it is ready, so that a later process finds it", async () => {
  await using test = await stage(
    `while [ ! -e "$0.go" ]; do sleep 0.01; done; ${READY}; exec sleep 300`,
  );
  const launching = launch(test.options, NEVER);
  const record = join(test.options.folder, "browser.json");
  while (!await isThere(record)) {
    await new Promise((done) => setTimeout(done, 5));
  }
  const early = JSON.parse(await Deno.readTextFile(record));
  assert.equal(early.endpoint, undefined);
  assert.equal(await readStartTime(early.pid), early.start_mark);
  await Deno.writeTextFile(test.file("browser.sh.go"), "");
  const browser = await launching;
  assert.equal(browser.endpoint.href, "ws://127.0.0.1:1/devtools/browser/1");
  const late = JSON.parse(await Deno.readTextFile(record));
  assert.equal(late.endpoint, browser.endpoint.href);
  assert.equal(late.pid, early.pid);
  await browser.stop(0);
});

Deno.test("launch() does not pass the worker's settings to the browser", async () => {
  Deno.env.set("BROWSERGRID_API_KEY", "planted");
  try {
    await using test = await stage(
      `env > "$0.env"; ${READY}; exec sleep 300`,
      { spec: { ...SPEC, environment: { TOKEN: "given" } } },
    );
    const browser = await launch(test.options, NEVER);
    const env = await Deno.readTextFile(test.file("browser.sh.env"));
    assert.match(env, /^TOKEN=given$/m);
    assert.match(env, /^PATH=./m);
    assert.doesNotMatch(env, /planted/);
    await browser.stop(0);
  } finally {
    Deno.env.delete("BROWSERGRID_API_KEY");
  }
});

Deno.test("launch() passes a hostile proxy as one argument", async () => {
  const proxy_url = "http://x --no-sandbox --renderer-cmd-prefix=sh";
  await using test = await stage(
    `for a; do echo "$a"; done > "$0.args"; ${READY}; exec sleep 300`,
    { sandbox: true, spec: { ...SPEC, proxy: { proxy_url } } },
  );
  const browser = await launch(test.options, NEVER);
  const args = (await Deno.readTextFile(test.file("browser.sh.args"))).split(
    "\n",
  );
  assert.ok(args.includes(`--proxy-server=${proxy_url}`));
  assert.ok(!args.includes("--no-sandbox"));
  await browser.stop(0);
});

Deno.test("launch() reports that limits are not enforced, only if limits are requested", async () => {
  for (const cpu of [undefined, 2]) {
    const spec = browserSpec(cpu === undefined ? {} : { cpu });
    await using test = await stage(`${READY}; exec sleep 300`, { spec });
    const browser = await launch(test.options, NEVER);
    const { limits = "" } = browser.details;
    assert.equal(/not enforced/.test(limits), cpu !== undefined);
    await browser.stop(0);
  }
});

Deno.test("stop() with a shorter grace period shortens an earlier call", async () => {
  await using test = await stage(
    `trap '' TERM; ${READY}; while :; do sleep 0.01; done`,
  );
  const browser = await launch(test.options, NEVER);
  await Promise.all([browser.stop(3_600_000), browser.stop(0)]);
  assert.deepEqual(await browser.exited, {
    reason: "stopped",
    detail: "stopped",
  });
  assert.ok(!await isThere(test.options.folder));
});
