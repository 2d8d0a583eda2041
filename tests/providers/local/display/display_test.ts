import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import {
  type Display,
  type DisplayOptions,
  findDisplayProblem,
  startDisplay,
} from "../../../../src/providers/local/display/display.ts";
import {
  findProgram,
  type HostEnvironment,
  thisHost,
} from "../../../../src/providers/local/find_browser.ts";
import { isRunning } from "../../../../src/providers/local/process/process_identity.ts";
import { eventually } from "../../../support/eventually.ts";

const NEVER = new AbortController().signal;
const SCREEN = { width: 1000, height: 600, dpi: 96, scale: 1 };

/** A Linux host with these variables. */
function host(env: Readonly<Record<string, string>>): HostEnvironment {
  return { ...thisHost, os: "linux", env: (name) => env[name] };
}

const withoutDisplay = host({ PATH: Deno.env.get("PATH") ?? "" });
const skip = await findProgram("Xvfb")
  ? undefined
  : "there is no Xvfb on the PATH";

function xvfbTest(name: string, fn: () => Promise<void>): void {
  if (skip !== undefined) {
    // deno-lint-ignore no-console -- the reason of a skipped test is its result
    console.log(`skipped: ${name}: ${skip}`);
  }
  Deno.test({ name, fn, ignore: skip !== undefined });
}

const folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => {
  Deno.removeSync(folder, { recursive: true });
});

function toDisplayOptions(
  host: HostEnvironment,
  signal = NEVER,
): DisplayOptions {
  return { folder, signal, host };
}

/** Reports whether the display accepts a client with `cookie`. @see the X Window System Protocol, "Connection Setup" */
async function accepts(
  { name = "" }: Display,
  cookie: Uint8Array,
): Promise<boolean> {
  const path = `/tmp/.X11-unix/X${name.slice(1)}`;
  using conn = await Deno.connect({ transport: "unix", path });
  const protocol = cookie.length === 0 ? "" : "MIT-MAGIC-COOKIE-1";
  const head = Buffer.alloc(12);
  head.write("l");
  head.writeUInt16LE(11, 2);
  head.writeUInt16LE(protocol.length, 6);
  head.writeUInt16LE(cookie.length, 8);
  const padding = Buffer.alloc(-protocol.length & 3);
  const answer = new Uint8Array(1);
  try {
    await conn.write(
      Buffer.concat([head, Buffer.from(protocol), padding, cookie]),
    );
    await conn.read(answer);
  } catch (error) {
    // The server may close the connection before it has read everything.
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  }
  return answer[0] === 1;
}

/** Reports which processes of the display run: the X server and its window manager. */
function running({ processes = [] }: Display): Promise<boolean[]> {
  return Promise.all(processes.map(isRunning));
}

Deno.test("startDisplay() rejects if there is neither a display nor Xvfb", async () => {
  await assert.rejects(
    startDisplay(SCREEN, toDisplayOptions(host({ PATH: "/nowhere" }))),
    {
      message:
        "Cannot start a headful browser: there is no display, expected DISPLAY or Xvfb on the PATH; or ask for headless: true",
    },
  );
});

xvfbTest(
  "startDisplay() rejects a screen larger than any display",
  async () => {
    const screen = { width: 16_384, height: 9_000, dpi: 96, scale: 2 };
    await assert.rejects(
      startDisplay(screen, toDisplayOptions(withoutDisplay)),
      {
        message:
          "Cannot start a headful browser: its screen has 32768 by 18000 device pixels, expected at most 32767 by 32767; or ask for headless: true",
      },
    );
  },
);

for (const name of ["DISPLAY", "WAYLAND_DISPLAY"]) {
  Deno.test(`startDisplay() uses the display of ${name} and starts none`, async () => {
    await using display = await startDisplay(
      SCREEN,
      toDisplayOptions(host({ [name]: "x" })),
    );
    assert.equal(display.processes, undefined);
    assert.equal(display.name, undefined);
  });
}

Deno.test("findDisplayProblem() returns undefined on systems without DISPLAY", async () => {
  const mac: HostEnvironment = { ...host({}), os: "darwin" };
  assert.equal(await findDisplayProblem(mac), undefined);
  assert.match(
    await findDisplayProblem(host({})) ?? "",
    /expected DISPLAY or Xvfb/,
  );
});

xvfbTest(
  "startDisplay() starts a new virtual display each time, and ends it",
  async () => {
    const one = await startDisplay(SCREEN, toDisplayOptions(withoutDisplay));
    const other = await startDisplay(SCREEN, toDisplayOptions(withoutDisplay));
    assert.match(one.name ?? "", /^:\d+$/);
    assert.notEqual(one.name, other.name);
    assert.deepEqual(await running(one), [true, true]);
    await one[Symbol.asyncDispose]();
    assert.deepEqual(await running(one), [false, false]);
    assert.deepEqual(await running(other), [true, true]);
    await other[Symbol.asyncDispose]();
    assert.deepEqual(await running(other), [false, false]);
  },
);

xvfbTest(
  "startDisplay() starts a display that accepts only clients with its secret, without the worker's environment",
  async () => {
    Deno.env.set("BROWSERGRID_API_KEY", "planted");
    try {
      await using display = await startDisplay(
        SCREEN,
        toDisplayOptions(withoutDisplay),
      );
      const { authority = "", processes: [own] = [] } = display;
      assert.ok(own);
      const { mode } = await Deno.stat(authority);
      assert.equal((mode ?? 0) & 0o777, 0o600);
      const cookie = (await Deno.readFile(authority)).slice(-16);
      assert.ok(await accepts(display, cookie));
      assert.ok(!await accepts(display, new Uint8Array()));
      assert.ok(!await accepts(display, new Uint8Array(16)));
      const environ = await Deno.readTextFile(`/proc/${own.pid}/environ`);
      assert.doesNotMatch(environ, /planted|BROWSERGRID_/);
    } finally {
      Deno.env.delete("BROWSERGRID_API_KEY");
    }
  },
);

xvfbTest(
  "the window manager ends when its display is killed",
  async () => {
    await using display = await startDisplay(
      SCREEN,
      toDisplayOptions(withoutDisplay),
    );
    const [xvfb] = display.processes ?? [];
    assert.ok(xvfb);
    Deno.kill(xvfb.pid, "SIGKILL");
    await eventually(
      "both are gone",
      async () => (await running(display)).every((each) => !each),
    );
  },
);

xvfbTest("startDisplay() needs no window manager", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.symlink(await findProgram("Xvfb") ?? "", join(folder, "Xvfb"));
    await using display = await startDisplay(
      SCREEN,
      toDisplayOptions(host({ PATH: folder })),
    );
    assert.deepEqual(await running(display), [true]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (
  const [what, script] of [
    ["ends at once", "exit 1"],
    ["is no program", ""],
  ] as const
) {
  Deno.test(`startDisplay() rejects if Xvfb ${what}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const text = script === "" ? "\0" : `#!/bin/sh\n${script}\n`;
      await Deno.writeTextFile(join(folder, "Xvfb"), text, { mode: 0o755 });
      await assert.rejects(
        startDisplay(SCREEN, toDisplayOptions(host({ PATH: folder }))),
        /Xvfb/,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("startDisplay() that is aborted leaves no Xvfb", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "Xvfb");
    await Deno.writeTextFile(
      path,
      '#!/bin/sh\necho $$ > "$0.tmp"; mv "$0.tmp" "$0.pid"; exec sleep 300\n',
      { mode: 0o755 },
    );
    const abort = new AbortController();
    const starting = startDisplay(
      SCREEN,
      toDisplayOptions(host({ PATH: folder }), abort.signal),
    );
    const refused = assert.rejects(starting, /no longer wanted/);
    let pid = "";
    while (pid === "") {
      pid = await Deno.readTextFile(`${path}.pid`).catch(() => "");
      await new Promise((done) => setTimeout(done, 5));
    }
    abort.abort(new Error("no longer wanted"));
    await refused;
    await assert.rejects(Deno.stat(`/proc/${pid.trim()}`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
