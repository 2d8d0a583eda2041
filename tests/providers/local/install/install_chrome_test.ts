import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { systemClock } from "../../../../src/async/clock.ts";
import {
  findInstalledChrome,
  installChrome,
} from "../../../../src/providers/local/install/install_chrome.ts";

const STALL_MS = 500;
const BYTES = 100_000;

/** A folder of browsers, and a server with controlled downloads. */
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
      // The library's own handling of the end is not observable.
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

Deno.test("installChrome() rejects a download without progress, and leaves no files", async () => {
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

Deno.test("installChrome() of a broken download leaves no files", async () => {
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

Deno.test("findInstalledChrome() ignores an incomplete browser", async () => {
  await using test = await scene();
  await Deno.mkdir(join(test.folder, "chrome", "linux-1.2.3.4"), {
    recursive: true,
  });
  assert.equal(await findInstalledChrome(test.folder), undefined);
});
