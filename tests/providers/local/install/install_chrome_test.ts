import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { systemClock } from "../../../../src/async/clock.ts";
import type { FoundBrowser } from "../../../../src/providers/local/find_browser.ts";
import {
  findInstalledChrome,
  installChrome,
} from "../../../../src/providers/local/install/install_chrome.ts";
import { unpackInto } from "../../../../src/providers/local/install/unpack_into.ts";

const STALL_MS = 500;
const BYTES = 100_000;

/** A folder of browsers, and a server that answers downloads as it is told. */
interface Scene extends AsyncDisposable {
  readonly folder: string;
  readonly baseUrl: string;
  names(): Promise<readonly string[]>;
  /** Breaks the downloads, and waits until none is left. */
  breakOff(): Promise<void>;
}

async function scene(
  answer: (response: ServerResponse) => void = () => {},
): Promise<Scene> {
  const folder = await Deno.makeTempDir();
  const server = createServer((_request, response) => {
    response.setHeader("Content-Length", BYTES);
    answer(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // AddressInfo because it listens on a port, not on a socket file.
  const { port } = server.address() as AddressInfo;
  return {
    folder,
    baseUrl: `http://127.0.0.1:${port}`,
    async names() {
      const entries = await Array.fromAsync(Deno.readDir(folder));
      return entries.map(({ name }) => name);
    },
    async breakOff() {
      server.closeAllConnections();
      // The library's own end of it, which nobody is told.
      await systemClock.sleep(100);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("installChrome() gives up a download that gets nowhere, and leaves nothing", async () => {
  await using test = await scene((response) => {
    response.write(new Uint8Array(BYTES / 10));
  });
  const lines: string[] = [];
  await assert.rejects(
    installChrome(test.folder, {
      onProgress: (line) => lines.push(line),
      buildId: "1.2.3.4",
      baseUrl: test.baseUrl,
      stallMs: STALL_MS,
    }),
    /made no progress for 0.5 s/,
  );
  assert.equal(lines.at(-1), "Installing Chrome for Testing 1.2.3.4: 10 %");
  await test.breakOff();
  assert.deepEqual(await test.names(), []);
});

Deno.test("installChrome() of a download that breaks off leaves nothing", async () => {
  await using test = await scene((response) => {
    response.write(new Uint8Array(BYTES / 10), () => response.destroy());
  });
  await assert.rejects(
    installChrome(test.folder, {
      onProgress: () => {},
      buildId: "1.2.3.4",
      baseUrl: test.baseUrl,
    }),
    /Download failed/,
  );
  assert.deepEqual(await test.names(), []);
});

Deno.test("installedChrome() takes one that was half unpacked for none", async () => {
  await using test = await scene();
  await Deno.mkdir(join(test.folder, "chrome", "linux-1.2.3.4"), {
    recursive: true,
  });
  assert.equal(await findInstalledChrome(test.folder), undefined);
});

/** Unpacks a folder with a file in it, named `chrome`. */
function unpackText(folder: string, text: string) {
  const path = join(folder, "chrome", "text");
  return unpackInto(folder, {
    name: "chrome",
    async unpack(fresh) {
      await Deno.writeTextFile(join(fresh, "text"), text);
      return fresh;
    },
    async find(): Promise<FoundBrowser | undefined> {
      const isThere = await Deno.stat(path).then(() => true, () => false);
      return isThere
        ? { path, source: "test", headlessOnly: false }
        : undefined;
    },
  });
}

Deno.test("unpackInto() replaces half a browser, and keeps a whole one", async () => {
  await using test = await scene();
  await Deno.mkdir(join(test.folder, "chrome", "half"), { recursive: true });
  for (const text of ["first", "second"]) {
    const browser = await unpackText(test.folder, text);
    assert.equal(await Deno.readTextFile(browser?.path ?? ""), "first");
    assert.deepEqual(await test.names(), ["chrome"]);
  }
});

Deno.test("unpackInto() removes what killed workers were unpacking, and leaves what others unpack now", async () => {
  await using test = await scene();
  for (const name of ["unpacking_old", "unpacking_now"]) {
    await Deno.mkdir(join(test.folder, name));
  }
  await Deno.utime(join(test.folder, "unpacking_old"), 0, 0);
  await unpackText(test.folder, "text");
  assert.deepEqual([...await test.names()].sort(), ["chrome", "unpacking_now"]);
});
