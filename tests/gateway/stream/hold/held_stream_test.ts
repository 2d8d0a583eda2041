import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import fc from "fast-check";
import {
  CLOSE_REASONS,
  encodeCloseFrame,
} from "../../../../src/gateway/stream/close_frame.ts";
import { readBytes } from "../../../support/raw_client.ts";
import { HEAD, HOMES, type Joined, joinedScene } from "../joined_scene.ts";
import {
  encodeCommand,
  encodeFrame,
  readFrames,
  takeFrames,
} from "./frames.ts";

const MESSAGE = "held: a person controls the browser";

/** The response to a command: of the browser, or of the gateway. */
interface Response {
  readonly id: number;
  readonly sessionId?: string;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** A client and a browser that speak CDP: the browser responds to each command. */
class Peers {
  readonly atBrowser: number[] = [];
  readonly atClient: Response[] = [];
  readonly #joined: Joined;
  readonly #pending = new Map<number, (response: Response) => void>();
  #lastId = 0;

  constructor(joined: Joined) {
    this.#joined = joined;
    readFrames(joined.browser, ({ text, opcode }) => {
      if (opcode !== 1) return;
      const { id } = JSON.parse(text);
      this.atBrowser.push(id);
      const response = JSON.stringify({ id, result: {} });
      joined.browser.write(encodeFrame(Buffer.from(response)));
    });
    readFrames(joined.client, ({ text, opcode }) => {
      if (opcode !== 1) return;
      const response: Response = JSON.parse(text);
      this.atClient.push(response);
      this.#pending.get(response.id)?.(response);
    });
  }

  /** Sends a command in parts that end at `cuts`, and returns its response. */
  send(
    method: string,
    { cuts = [], sessionId }: {
      readonly cuts?: readonly number[];
      readonly sessionId?: string;
    } = {},
  ): Promise<Response> {
    const id = ++this.#lastId;
    const response = new Promise<Response>((resolve) =>
      this.#pending.set(id, resolve)
    );
    const bytes = encodeCommand({ method, id, sessionId });
    let from = 0;
    for (const cut of [...cuts, bytes.length]) {
      this.#joined.client.write(bytes.subarray(from, cut));
      from = cut;
    }
    return response;
  }

  /** Sends held commands one by one until the gateway answers them, or the browser does. */
  async until(side: "gateway" | "browser"): Promise<void> {
    for (;;) {
      const { error } = await this.send("Page.reload");
      if ((error !== undefined) === (side === "gateway")) return;
    }
  }
}

for (const home of HOMES) {
  Deno.test(`a stream that is held answers held commands and forwards the others, and forwards all of them once it is released (${home})`, async () => {
    await using scene = await joinedScene(home);
    const joined = await scene.join();
    await readBytes(joined.client, HEAD.length);
    const peers = new Peers(joined);
    assert.deepEqual((await peers.send("Page.navigate")).result, {});
    for (let round = 0; round < 3; round++) {
      joined.stream.hold(`${MESSAGE} ${round}`);
      await peers.until("gateway");
      const [held, passed] = await Promise.all([
        peers.send("Runtime.evaluate", { sessionId: "S" }),
        peers.send("Runtime.runIfWaitingForDebugger", { cuts: [1, 9] }),
      ]);
      const { id, ...response } = held;
      assert.deepEqual(response, {
        error: { code: -32_000, message: `${MESSAGE} ${round}` },
        sessionId: "S",
      });
      assert.deepEqual(passed.result, {});
      assert.ok(!peers.atBrowser.includes(id));
      joined.stream.release();
      await peers.until("browser");
      assert.deepEqual((await peers.send("Runtime.evaluate")).result, {});
    }
    const bytes = joined.stream.readBytes();
    assert.ok(bytes.bytesIn > 0 && bytes.bytesOut > 0);
  });

  Deno.test(`a stream that is held from the start forwards no held command (${home})`, async () => {
    await using scene = await joinedScene(home);
    for (let round = 0; round < 10; round++) {
      const joined = await scene.join({ hold: MESSAGE });
      const received = new Peers(joined);
      // The first response follows the head, which is no frame.
      joined.client.removeAllListeners("data");
      joined.client.write(encodeCommand({ id: 1, method: "Page.navigate" }));
      await readBytes(joined.client, HEAD.length + 1);
      const peers = new Peers(joined);
      assert.ok((await peers.send("Runtime.evaluate")).error);
      assert.deepEqual(received.atBrowser, []);
    }
  });

  Deno.test(`a frame of which a part has passed before a hold passes whole, and the command after it is held (${home})`, async () => {
    await using scene = await joinedScene(home);
    const mask = Uint8Array.of(7, 6, 5, 4);
    const text = Buffer.from('{"id":1,"method":"Page.navigate"}');
    const next = encodeCommand({ id: 2, method: "Page.navigate" });
    for (
      const [frames, cut] of [
        [[encodeFrame(text, { mask })], 1],
        [[encodeFrame(text, { mask, lengthBytes: 8 })], 7],
        [[encodeFrame(text, { mask })], 20],
        // Between two fragments, and within the second one.
        [[
          encodeFrame(text.subarray(0, 5), { mask, isFinal: false }),
          encodeFrame(text.subarray(5), { mask, opcode: 0 }),
        ], 11],
        [[
          encodeFrame(text.subarray(0, 5), { mask, isFinal: false }),
          encodeFrame(text.subarray(5), { mask, opcode: 0 }),
        ], 20],
      ] as const
    ) {
      const { client, browser, stream } = await scene.join();
      await readBytes(client, HEAD.length);
      const bytes = Buffer.concat(frames);
      client.write(bytes.subarray(0, cut));
      await readBytes(browser, cut);
      stream.hold(MESSAGE);
      client.write(Buffer.concat([bytes.subarray(cut), next]));
      const rest = await readBytes(browser, bytes.length - cut);
      assert.deepEqual(
        rest.subarray(0, bytes.length - cut),
        bytes.subarray(cut),
      );
      // The hold may come after both.
      if (rest.length > bytes.length - cut) continue;
      const reply = await Promise.race([
        readBytes(client, 1),
        readBytes(browser, 1).then(() => undefined),
      ]);
      if (!reply) continue;
      const [frame] = takeFrames(reply).frames;
      assert.equal(JSON.parse(frame?.text ?? "").id, 2);
    }
  });

  Deno.test(`responses of the gateway are written only between messages of the browser, also while those follow each other without a pause (${home})`, async () => {
    await using scene = await joinedScene(home);
    const joined = await scene.join({ hold: MESSAGE });
    const { client, browser } = joined;
    await readBytes(client, HEAD.length);
    const texts: string[] = [];
    const answered = Promise.withResolvers<void>();
    let responses = 0;
    let isFragmented = false;
    readFrames(client, ({ text, opcode, isFinal }) => {
      if (text.startsWith("{")) {
        assert.ok(!isFragmented);
        if (++responses === 50) answered.resolve();
      } else {
        texts.push(text);
        isFragmented = opcode < 8 && !isFinal;
      }
    });
    const sent: string[] = [];
    let isOver = false;
    const flood = (async () => {
      for (let nth = 0; !isOver; nth++) {
        const part = `${nth} `.repeat(20_000);
        sent.push(part, part);
        const frames = Buffer.concat([
          encodeFrame(Buffer.from(part), { isFinal: false }),
          encodeFrame(Buffer.from(part), { opcode: 0 }),
        ]);
        // No write ends where a message does.
        browser.write(frames.subarray(0, 50_000));
        if (!browser.write(frames.subarray(50_000))) {
          await once(browser, "drain");
        } else await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (let id = 0; id < 50; id++) {
      client.write(encodeCommand({ id, method: "Input.insertText" }));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await answered.promise;
    isOver = true;
    await flood;
    client.destroy();
    await joined.stream.ended;
    assert.deepEqual(texts, sent.slice(0, texts.length));
  });

  Deno.test(`a client that sends held commands and does not read is stopped, and gets every response once it reads (${home})`, async () => {
    await using scene = await joinedScene(home);
    const { client, stream } = await scene.join({ hold: MESSAGE });
    await readBytes(client, HEAD.length);
    const block = Buffer.concat(Array.from(
      { length: 10_000 },
      () => encodeCommand({ id: 1, method: "Input.dispatchMouseEvent" }),
    ));
    let blocks = 0;
    await new Promise<void>((resolve) => {
      let quiet = setTimeout(resolve, 300);
      const pump = () => {
        clearTimeout(quiet);
        do blocks++; while (client.write(block) && blocks < 400);
        quiet = setTimeout(resolve, 300);
      };
      client.on("drain", pump);
      pump();
    });
    client.removeAllListeners("drain");
    assert.ok(blocks < 100, `${blocks} blocks of ${block.length} bytes`);
    const all = Promise.withResolvers<void>();
    let responses = 0;
    readFrames(client, () => {
      if (++responses === blocks * 10_000) all.resolve();
    });
    await all.promise;
    assert.equal(stream.readBytes().bytesOut, 0);
    client.destroy();
    assert.equal((await stream.ended).by, "client");
  });

  Deno.test(`whenever a stream is held and released, each command is answered once, by the browser or the gateway, and the browser gets them in order (${home})`, async () => {
    await using scene = await joinedScene(home);
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.record({
              method: fc.constantFrom("Page.navigate", "Page.enable"),
              cuts: fc.uniqueArray(fc.integer({ min: 1, max: 30 }), {
                maxLength: 3,
              }).map((cuts) => cuts.toSorted((a, b) => a - b)),
            }),
            fc.constantFrom("hold", "release", "turn", "ping"),
          ),
          { maxLength: 30 },
        ),
        async (steps) => {
          const joined = await scene.join();
          await readBytes(joined.client, HEAD.length);
          const peers = new Peers(joined);
          const sent: Promise<Response>[] = [];
          const passing: number[] = [];
          for (const step of steps) {
            if (step === "hold") joined.stream.hold(MESSAGE);
            else if (step === "release") joined.stream.release();
            else if (step === "ping") joined.stream.ping();
            else if (step === "turn") {
              await new Promise((resolve) => setTimeout(resolve, 1));
            } else {
              const { method, cuts } = step;
              sent.push(peers.send(method, { cuts }));
              if (method === "Page.enable") passing.push(sent.length);
            }
          }
          const responses = await Promise.all(sent);
          const byBrowser = responses.filter(({ result }) => result);
          assert.deepEqual(peers.atBrowser, byBrowser.map(({ id }) => id));
          assert.ok(passing.every((id) => peers.atBrowser.includes(id)));
          assert.equal(peers.atClient.length, sent.length);
          joined.client.destroy();
          await joined.stream.ended;
        },
      ),
      { seed: 20_261_130, numRuns: 100 },
    );
  });

  Deno.test(`a held stream ends as others do: with a close frame from the grid, and with what the client has sent before it left (${home})`, async () => {
    await using scene = await joinedScene(home);
    const first = await scene.join({ hold: MESSAGE });
    await readBytes(first.client, HEAD.length);
    first.stream.close(CLOSE_REASONS.takenOver);
    const expected = encodeCloseFrame(CLOSE_REASONS.takenOver);
    const received = await readBytes(first.client, expected.length);
    assert.deepEqual(Buffer.from(received), Buffer.from(expected));
    first.client.destroy();
    assert.equal((await first.stream.ended).by, "grid");
    const second = await scene.join({ hold: MESSAGE });
    await readBytes(second.client, HEAD.length);
    const [held, passed] = ["Page.close", "Page.enable"].map((method) =>
      encodeCommand({ id: 1, method })
    ) as [Buffer, Buffer]; // One for each.
    second.client.end(Buffer.concat([held, passed, held.subarray(0, 9)]));
    assert.deepEqual(
      Buffer.from(await readBytes(second.browser, passed.length)),
      passed,
    );
    second.browser.destroy();
    second.client.destroy();
    assert.equal((await second.stream.ended).by, "client");
  });
}
