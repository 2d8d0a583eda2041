/** `install.sh`, with curl and with wget, and the documentation's commands for it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { snippet } from "../e2e/docs_scene.ts";
import { testWith } from "../support/test_with.ts";
import { startTlsFront } from "../support/tls_front.ts";
import {
  createMachine,
  type Machine,
  printsVersion,
  type ReleaseServer,
  run,
  SCRIPT,
  startReleaseServer,
} from "./install_scene.ts";

const ARCHIVE = "latest/download/browsergrid-linux-x64.tar.gz";
const CHECKSUMS = "latest/download/SHA256SUMS";

/** Installs on a machine, and expects one sentence and nothing left behind. */
async function fails(
  machine: Machine,
  pattern: RegExp,
  ...args: readonly string[]
): Promise<void> {
  const before = await machine.list();
  const { code, error } = await machine.install(...args);
  assert.notEqual(code, 0);
  assert.match(error, pattern);
  assert.match(error, /^install\.sh: [^\n]+\n$/);
  assert.deepEqual(await machine.list(), before);
}

async function machineWithRelease(
  server: ReleaseServer,
  downloader: "curl" | "wget" = "curl",
): Promise<Machine> {
  server.files.clear();
  await server.publish("latest/download", printsVersion("0.2.0"));
  const machine = await createMachine(server, downloader);
  await machine.replace("uname", uname("Linux", "x86_64"));
  return machine;
}

/** Returns a program that reports a system and its processor. */
function uname(system: string, processor: string): string {
  return `if [ "$1" = -s ]; then echo ${system}; else echo ${processor}; fi`;
}

await testWith(["shellcheck"], "shellcheck accepts install.sh", async () => {
  const { code, out } = await run(["/usr/bin/shellcheck", SCRIPT]);
  assert.deepEqual([code, out], [0, ""]);
});

for (const downloader of ["curl", "wget"] as const) {
  await testWith(
    [downloader],
    `install.sh installs with ${downloader}, and changes nothing after a download that is incomplete or not as published`,
    async (t) => {
      await using server = startReleaseServer();
      await using machine = await machineWithRelease(server, downloader);
      const program = join(machine.home, ".local/bin/browsergrid");

      await t.step("a folder that is not on the PATH", async () => {
        const { code, out, error } = await machine.install();
        assert.deepEqual([code, error], [0, ""]);
        assert.match(out, /Installed browsergrid 0\.2\.0 as \S+/);
        assert.match(out, /export PATH="\S+\/\.local\/bin:\$PATH"/);
        assert.match(out, /\.local\/bin\/browsergrid serve --with-worker/);
        assert.deepEqual(await machine.list(), [program]);
        assert.equal((await run([program], machine.env)).out, "0.2.0\n");
      });

      await t.step("an incomplete download", async () => {
        server.files.set(ARCHIVE, () =>
          new Response(
            new ReadableStream({
              start(controller) {
                controller.enqueue(new Uint8Array(100));
                controller.close();
              },
            }),
            { headers: { "Content-Length": "1000" } },
          ));
        await fails(machine, /Cannot download \S+\.tar\.gz: /);
      });

      await t.step("a missing file", async () => {
        server.files.delete(ARCHIVE);
        await fails(machine, /Cannot download \S+\.tar\.gz: .*404/);
      });

      await t.step("another file than the published one", async () => {
        server.files.set(ARCHIVE, () => new Response("other"));
        await fails(machine, /its checksum is d9298a10\w+, expected \w{64}/);
      });

      await t.step("a release without a checksum", async () => {
        server.files.set(CHECKSUMS, () => new Response(""));
        await fails(machine, /SHA256SUMS of this release has no line for it/);
        server.files.delete(CHECKSUMS);
        await fails(machine, /Cannot download \S+SHA256SUMS: .*404/);
      });
      assert.equal((await run([program], machine.env)).out, "0.2.0\n");
    },
  );
}

await testWith(
  ["wget", "openssl"],
  "install.sh rejects a wget that was redirected to an address without TLS, and removes the folder of a killed run",
  async () => {
    await using server = startReleaseServer();
    await using machine = await machineWithRelease(server, "wget");
    await using front = await startTlsFront(server.url);
    const settings = join(machine.home, "wgetrc");
    await Deno.writeTextFile(
      settings,
      `ca_certificate = ${front.certificate}\n`,
    );
    const stale = join(machine.home, "bin/.browsergrid-install.abcdef");
    await Deno.mkdir(stale, { recursive: true });
    await Deno.utime(stale, 0, 0);
    const install = () =>
      run(["/bin/sh", SCRIPT], {
        ...machine.env,
        PREFIX: machine.home,
        WGETRC: settings,
        BROWSERGRID_BASE_URL: front.url,
      });
    const installed = await install();
    assert.deepEqual([installed.code, installed.error], [0, ""]);
    await assert.rejects(Deno.stat(stale), Deno.errors.NotFound);
    await server.publish("plain", printsVersion("0.3.0"));
    server.files.set(CHECKSUMS, () =>
      new Response(null, {
        status: 302,
        headers: { Location: `${server.url}/plain/SHA256SUMS` },
      }));
    const { code, error } = await install();
    assert.equal(code, 1);
    assert.match(error, /redirected to an address without TLS, expected https/);
  },
);

Deno.test("install.sh selects version and folder, and replaces a program that is running", async () => {
  await using server = startReleaseServer();
  await using machine = await machineWithRelease(server);
  const folder = join(machine.home, "bin");
  // An executable that is not a script cannot be written while it runs.
  await server.publish("download/v0.1.0", await Deno.readFile("/bin/sleep"));
  const first = await machine.install("--version", "v0.1.0", "--dir", folder);
  assert.equal(first.code, 0, first.error);
  const program = join(folder, "browsergrid");
  const running = new Deno.Command(program, { args: ["1000"] }).spawn();
  try {
    const { code, out, error } = await run(["/bin/sh", SCRIPT], {
      ...machine.env,
      PREFIX: machine.home,
      PATH: `${machine.env.PATH}:${folder}`,
    });
    assert.deepEqual([code, error], [0, ""]);
    assert.match(out, /^ {2}browsergrid serve --with-worker$/m);
    assert.equal((await run([program], machine.env)).out, "0.2.0\n");
  } finally {
    running.kill("SIGTERM");
    assert.equal((await running.status).signal, "SIGTERM");
  }
});

Deno.test("install.sh rejects systems, addresses, folders and arguments that it does not know", async (t) => {
  await using server = startReleaseServer();
  await using machine = await machineWithRelease(server);
  const systems: readonly [system: string, processor: string, RegExp][] = [
    ["FreeBSD", "amd64", /Cannot install on FreeBSD, expected Linux or macOS/],
    ["MINGW64_NT-10.0", "x86_64", /Cannot install on Windows.* winget or npm/],
    ["Linux", "riscv64", /processor riscv64, expected x86_64 or arm64/],
    ["Linux", "aarch64", /Cannot download \S+-linux-arm64\.tar\.gz: .*404/],
    ["Darwin", "arm64", /Cannot download \S+-macos-arm64\.tar\.gz: .*404/],
    ["Darwin", "x86_64", /Cannot download \S+-macos-x64\.tar\.gz: .*404/],
  ];
  for (const [system, processor, expected] of systems) {
    await t.step(`${system} on ${processor}`, async () => {
      await machine.replace("uname", uname(system, processor));
      await fails(machine, expected);
    });
  }
  await machine.replace("uname", uname("Linux", "x86_64"));

  await t.step("musl", async () => {
    await machine.replace("ldd", "echo 'musl libc (x86_64)' >&2; exit 1");
    await fails(machine, /Linux with musl, expected one with glibc/);
    await machine.replace("ldd", "echo 'ldd (Debian GLIBC 2.36)'");
  });

  await t.step("arguments", async () => {
    for (
      const [args, expected] of [
        [["--folder"], /Unknown argument "--folder", expected --version/],
        [["--dir"], /Option --dir has no value/],
        [["--version", "../x"], /Version "\.\.\/x" is not valid/],
      ] as const
    ) await fails(machine, expected, ...args);
  });

  await t.step("an address without TLS", async () => {
    const url = "http://mirror.example";
    const env = { ...machine.env, BROWSERGRID_BASE_URL: url };
    const { code, error } = await run(["/bin/sh", SCRIPT], env);
    assert.equal(code, 1);
    assert.match(error, /Cannot download from "\S+", expected an https URL/);
  });

  await t.step("folders", async () => {
    const path = join(machine.home, "file");
    await Deno.writeTextFile(path, "");
    await fails(machine, /Cannot create the folder \S+/, "--dir", path);
    await Deno.mkdir(join(machine.home, "full/browsergrid"), {
      recursive: true,
    });
    const full = join(machine.home, "full");
    await fails(machine, /browsergrid is a folder/, "--dir", full);
  });

  await t.step("a program that does not run here", async () => {
    const broken = new TextEncoder().encode("#!/bin/sh\nexit 1\n");
    await server.publish("latest/download", broken);
    await fails(machine, /Cannot run the program on this machine/);
  });
});

// Debian's sh is dash; macOS has bash in its place.
for (const shell of ["sh", "bash"]) {
  Deno.test(`install.sh does nothing if it was cut off, and works if it is piped to ${shell}`, async () => {
    await using server = startReleaseServer();
    await using machine = await machineWithRelease(server);
    const script = await Deno.readTextFile(SCRIPT);
    const lengths = [...Array(12).keys()].map((each) =>
      Math.floor(script.length * each / 12)
    );
    for (let left = 2; left < 20; left += 2) lengths.push(script.length - left);
    await Promise.all(lengths.map((length) => pipe(script.slice(0, length))));
    assert.deepEqual(server.requests, []);
    assert.deepEqual(await machine.list(), []);
    const { code, error } = await pipe(script);
    assert.deepEqual([code, error], [0, ""]);
    assert.equal((await machine.list()).length, 1);

    function pipe(text: string) {
      return run([`/bin/${shell}`], machine.env, text);
    }
  });
}

Deno.test("the documentation's commands download install.sh and run it", async () => {
  await using server = startReleaseServer();
  await using machine = await machineWithRelease(server);
  const script = await Deno.readTextFile(SCRIPT);
  server.files.set("latest/download/install.sh", () => new Response(script));
  const [, address = ""] = /(https:\/\/\S+)\/latest\/download/.exec(
    snippet("install"),
  ) ?? [];
  // The script has the same address.
  assert.ok(script.includes(`DEFAULT_BASE_URL=${address}\n`), address);
  const lines = `cd ${machine.home}\n${
    snippet("install").replaceAll(address, server.url)
  }`;
  const { code, error } = await run(["/bin/sh", "-ec", lines], {
    ...machine.env,
    PATH: `${machine.env.PATH}:${machine.home}/.local/bin`,
  });
  assert.deepEqual([code, error], [0, ""]);
});
