import assert from "node:assert/strict";
import {
  findBrowser,
  findProgram,
  type HostEnvironment,
  thisHost,
} from "../../../src/providers/local/find_browser.ts";

/** A host with these variables and files. */
function host(
  env: Readonly<Record<string, string>>,
  files: readonly string[],
  os: HostEnvironment["os"] = "linux",
): HostEnvironment {
  return {
    os,
    env: (name) => env[name],
    isFile: (path) => Promise.resolve(files.includes(path)),
  };
}

Deno.test("findBrowser() prefers the configured path to CHROME_PATH and the PATH", async () => {
  const found = await findBrowser(
    "/mine/chrome",
    host({ CHROME_PATH: "/his/chrome", PATH: "/bin" }, [
      "/mine/chrome",
      "/his/chrome",
      "/bin/chromium",
    ]),
  );
  assert.deepEqual(found, {
    path: "/mine/chrome",
    source: "executable_path of the pool",
    headlessOnly: false,
  });
});

Deno.test("findBrowser() prefers CHROME_PATH to the PATH", async () => {
  const found = await findBrowser(
    undefined,
    host({ CHROME_PATH: "/his/chrome", PATH: "/bin" }, [
      "/his/chrome",
      "/bin/chromium",
    ]),
  );
  assert.equal(found?.path, "/his/chrome");
  assert.equal(found?.source, "CHROME_PATH");
});

Deno.test("findBrowser() rejects a CHROME_PATH without a browser and uses no other", async () => {
  await assert.rejects(
    findBrowser(
      undefined,
      host({ CHROME_PATH: "/his/chrome", PATH: "/bin" }, ["/bin/chromium"]),
    ),
    {
      message:
        'Cannot use the browser "/his/chrome" (CHROME_PATH): there is no such program, expected the path of Chrome or Chromium',
    },
  );
});

Deno.test("findBrowser() ignores an empty CHROME_PATH", async () => {
  const found = await findBrowser(
    undefined,
    host({ CHROME_PATH: "", PATH: "/bin" }, ["/bin/chromium"]),
  );
  assert.equal(found?.path, "/bin/chromium");
});

Deno.test("findBrowser() prefers Chrome to Chromium and Chromium to Edge, in all folders of the PATH", async () => {
  const files = [
    "/a/microsoft-edge",
    "/a/chromium",
    "/b/chromium",
    "/b/google-chrome",
  ];
  const paths: (string | undefined)[] = [];
  while (files.length > 0) {
    const found = await findBrowser(undefined, host({ PATH: "/a:/b" }, files));
    paths.push(found?.path);
    files.splice(files.indexOf(found?.path ?? ""), 1);
  }
  assert.deepEqual(paths, [
    "/b/google-chrome",
    "/a/chromium",
    "/b/chromium",
    "/a/microsoft-edge",
  ]);
});

Deno.test("findBrowser() uses the program of a package without the script that starts it", async () => {
  const script = "/usr/bin/chromium";
  const program = "/usr/lib/chromium/chromium";
  const env = { PATH: "/usr/local/bin:/usr/bin" };
  const found = await findBrowser(undefined, host(env, [script, program]));
  assert.equal(found?.path, program);
  assert.equal(found?.source, "PATH");
  const alone = await findBrowser(undefined, host(env, [script]));
  assert.equal(alone?.path, script);
});

Deno.test("findBrowser() starts a script that is configured, or that somebody put in front of the package's", async () => {
  const script = "/usr/bin/chromium";
  const own = "/usr/local/bin/chromium";
  const env = { PATH: "/usr/local/bin:/usr/bin" };
  const files = [script, "/usr/lib/chromium/chromium", own];
  const configured = await findBrowser(script, host(env, files));
  assert.equal(configured?.path, script);
  const first = await findBrowser(undefined, host(env, files));
  assert.equal(first?.path, own);
});

Deno.test("findBrowser() searches the usual paths last", async () => {
  const chrome = "/opt/google/chrome/chrome";
  const alone = await findBrowser(undefined, host({ PATH: "/bin" }, [chrome]));
  assert.equal(alone?.path, chrome);
  assert.equal(alone?.source, "known folder");
  const found = await findBrowser(
    undefined,
    host({ PATH: "/bin" }, [chrome, "/bin/microsoft-edge"]),
  );
  assert.equal(found?.path, "/bin/microsoft-edge");
});

Deno.test("findBrowser() expands the variables of Windows' usual paths", async () => {
  const chrome = "C:\\Programs\\Google\\Chrome\\Application\\chrome.exe";
  const found = await findBrowser(
    undefined,
    host({ "PROGRAMFILES(X86)": "C:\\Programs" }, [chrome], "windows"),
  );
  assert.equal(found?.path, chrome);
});

Deno.test("findBrowser() returns undefined if there is no browser", async () => {
  assert.equal(
    await findBrowser(undefined, host({ PATH: "/bin" }, [])),
    undefined,
  );
  assert.equal(
    await findBrowser(undefined, host({}, ["/bin/chromium"])),
    undefined,
  );
});

Deno.test("findBrowser() marks a headless shell as headless only", async () => {
  const path = "/opt/chrome-headless-shell";
  const found = await findBrowser(path, host({}, [path]));
  assert.ok(found?.headlessOnly);
});

Deno.test("findProgram() skips folders and files that are not executable", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/a/Xvfb`, { recursive: true });
    await Deno.mkdir(`${folder}/b`);
    await Deno.writeTextFile(`${folder}/b/Xvfb`, "", { mode: 0o644 });
    await Deno.mkdir(`${folder}/c`);
    await Deno.writeTextFile(`${folder}/c/Xvfb`, "", { mode: 0o755 });
    const found = await findProgram("Xvfb", {
      ...thisHost,
      env: () => `${folder}/a:${folder}/b:${folder}/c`,
    });
    assert.equal(found, `${folder}/c/Xvfb`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
