import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import type { Socket } from "node:net";
import {
  CLOSE_REASONS,
  encodeCloseFrame,
} from "../../../src/gateway/stream/close_frame.ts";
import { PING } from "../../../src/gateway/stream/ping.ts";
import { readBytes } from "../../support/raw_client.ts";
import { HEAD, HOMES, joinedScene } from "./joined_scene.ts";

const MEGABYTE = 2 ** 20;

/** A text frame of a browser with one byte of payload. */
const FRAME = [0x81, 0x01, 0x61];

/** Returns bytes whose content differs between parts, so that reordering is detected. */
function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8)) & 0xff;
  return bytes;
}

/** Reads until the other side ends. */
async function readToEnd(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  await once(socket, "end");
  return Buffer.concat(chunks);
}

/** Writes `bytes` in parts of random length, most of them small. */
async function writeInParts(socket: Socket, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const length = Math.ceil(1 + Math.random() ** 4 * 100_000);
    socket.write(bytes.subarray(at, at + length));
    at += length;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

for (const home of HOMES) {
  Deno.test(`bytes that both sides send before, while and after their sockets are joined arrive unchanged (${home})`, async () => {
    await using scene = await joinedScene(home);
    const sent = pattern(2 * MEGABYTE);
    for (let round = 0; round < 10; round++) {
      const writing: Promise<void>[] = [];
      const { client, browser } = await scene.join({
        early: sent.subarray(0, 100),
        async beforeJoin({ client, browser }) {
          writing.push(writeInParts(client, sent));
          writing.push(writeInParts(browser, sent.subarray(100)));
          for (let turn = 0; turn < round; turn++) {
            await new Promise((resolve) => setImmediate(resolve));
          }
        },
      });
      const [atBrowser, atClient] = await Promise.all([
        readBytes(browser, sent.length),
        readBytes(client, HEAD.length + sent.length),
        ...writing,
      ]);
      assert.ok(Buffer.from(sent).equals(atBrowser ?? []), "from the client");
      const expected = Buffer.concat([HEAD, sent]);
      assert.ok(expected.equals(atClient ?? []), "from the browser");
    }
  });

  Deno.test(`a side that does not read stops the other side's writes, and then gets every byte (${home})`, async () => {
    await using scene = await joinedScene(home);
    for (const direction of ["to client", "to browser"]) {
      const { client, browser } = await scene.join();
      await readBytes(client, HEAD.length);
      const [from, to] = direction === "to client"
        ? [browser, client]
        : [client, browser];
      const block = pattern(MEGABYTE);
      let written = 0;
      await new Promise<void>((resolve) => {
        let quiet = setTimeout(resolve, 300);
        const pump = () => {
          clearTimeout(quiet);
          do written++; while (from.write(block) && written < 128);
          quiet = setTimeout(resolve, 300);
        };
        from.on("drain", pump);
        pump();
      });
      from.removeAllListeners("drain");
      assert.ok(written < 64, `${written} MB are accepted ${direction}`);
      const received = await readBytes(to, written * MEGABYTE);
      for (let at = 0; at < written; at++) {
        const part = received.subarray(at * MEGABYTE, (at + 1) * MEGABYTE);
        assert.ok(Buffer.from(block).equals(part), `block ${at}`);
      }
    }
  });

  Deno.test(`a stream that the grid closes ends with a close frame, but not within a frame of the browser (${home})`, async () => {
    await using scene = await joinedScene(home);
    for (
      const [bytes, expected] of [
        [FRAME, encodeCloseFrame(CLOSE_REASONS.takenOver)],
        [FRAME.slice(0, 2), new Uint8Array()],
      ] as const
    ) {
      const { client, browser, stream } = await scene.join();
      browser.write(Uint8Array.from(bytes));
      await readBytes(client, HEAD.length + bytes.length);
      stream.close(CLOSE_REASONS.takenOver);
      assert.deepEqual(await readToEnd(client), Buffer.from(expected));
      client.destroy();
      const { by, bytesIn, bytesOut } = await stream.ended;
      assert.deepEqual([by, bytesIn, bytesOut], ["grid", 0, bytes.length]);
    }
  });

  Deno.test(`the end of a browser is explained once, unless it was expected (${home})`, async () => {
    await using scene = await joinedScene(home);
    let explained = 0;
    const explain = () => {
      explained++;
      return Promise.resolve(CLOSE_REASONS.browserGone);
    };
    for (const isExpected of [false, true]) {
      const { client, browser, stream } = await scene.join({ explain });
      await readBytes(client, HEAD.length);
      if (isExpected) {
        stream.expectEnd(CLOSE_REASONS.sessionEnded);
        // Messages are handled in order.
        stream.ping();
        await readBytes(client, PING.length);
      }
      browser.end();
      const reason = isExpected
        ? CLOSE_REASONS.sessionEnded
        : CLOSE_REASONS.browserGone;
      assert.deepEqual(
        await readToEnd(client),
        Buffer.from(encodeCloseFrame(reason)),
      );
      client.destroy();
      assert.equal((await stream.ended).by, "browser");
    }
    assert.equal(explained, 1);
  });

  Deno.test(`an explanation is not waited for once the client has disconnected, and a failed one reports the browser as gone (${home})`, async () => {
    await using scene = await joinedScene(home);
    const asked = Promise.withResolvers<AbortSignal>();
    const first = await scene.join({
      explain: (signal) => {
        asked.resolve(signal);
        return new Promise((_, reject) =>
          signal.addEventListener("abort", () => reject(new Error("gone")))
        );
      },
    });
    first.browser.destroy();
    const signal = await asked.promise;
    assert.ok(!signal.aborted);
    first.client.destroy();
    assert.equal((await first.stream.ended).by, "browser");
    const second = await scene.join({
      explain: () => Promise.reject(new Error("no database")),
    });
    second.browser.destroy();
    const received = await readToEnd(second.client);
    assert.deepEqual(
      received.subarray(HEAD.length),
      Buffer.from(encodeCloseFrame(CLOSE_REASONS.browserGone)),
    );
    second.client.destroy();
    await second.stream.ended;
  });

  Deno.test(`bytes that a client sends before it disconnects still arrive, and are counted (${home})`, async () => {
    await using scene = await joinedScene(home);
    const { client, browser, stream } = await scene.join();
    await readBytes(client, HEAD.length);
    const sent = pattern(3 * MEGABYTE);
    client.end(sent);
    assert.ok(Buffer.from(sent).equals(await readToEnd(browser)));
    browser.destroy();
    assert.deepEqual(await stream.ended, {
      by: "client",
      bytesIn: sent.length,
      bytesOut: 0,
    });
    assert.equal(stream.countBytes(), sent.length);
  });
}
