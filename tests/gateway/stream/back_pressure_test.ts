import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import {
  type GivenGrid,
  givenGrid,
  type Reach,
} from "../../support/given_grid.ts";
import { residentMb } from "../../support/memory.ts";
import type { RunningProgram } from "../../support/program.ts";
import { rawClient, readBytes } from "../../support/raw_client.ts";
import { startUpstream } from "../../support/upstream.ts";

/** Paths from the server to the browser. */
const REACHES: readonly Reach[] = ["direct", "tunnel"];

const MEGABYTE = 2 ** 20;

/** Length of the data that one side sends, in megabytes. */
const STREAM_MB = 1_024;

/** Length of the data that the other side reads before and after it stops, in megabytes. */
const BEFORE_MB = 8;
const AFTER_MB = 64;

/** Maximum memory growth of the server or the worker by a stream that is not read, in megabytes. */
const GROWTH_MB = 64;

/**
 * Maximum data in the buffers of the system, in megabytes: Linux lets each of three connections grow to 32 MB for its
 * receiver and 4 MB for its sender.
 */
const HELD_MB = 3 * (32 + 4);

/** Length of the data that another client sends and receives during the stall, in megabytes. */
const ECHOED_MB = 8;

/** Time without progress after which a sender counts as stalled. */
const STALL_MS = 300;

/** Returns a megabyte whose content differs from all other blocks and between its parts. */
function block(index: number): Buffer {
  const bytes = Buffer.from(PATTERN);
  bytes.writeUInt32BE(index);
  return bytes;
}

const PATTERN = Uint8Array.from(
  { length: MEGABYTE },
  (_, at) => (at * 31 + (at >> 8)) & 0xff,
);

/** A sender of a gigabyte. */
interface Flood {
  /** Resolves when the sender is stalled. */
  readonly stalled: Promise<void>;
  /** Returns the length of the data that was sent, in megabytes. */
  sent(): number;
}

function flood(socket: Socket): Flood {
  const stalled = Promise.withResolvers<void>();
  let sent = 0;
  let quiet: ReturnType<typeof setTimeout> | undefined;
  function pump(): void {
    clearTimeout(quiet);
    while (sent < STREAM_MB) if (!socket.write(block(sent++))) break;
    quiet = setTimeout(() => stalled.resolve(), STALL_MS);
  }
  socket.on("drain", pump);
  socket.on("close", () => clearTimeout(quiet));
  pump();
  return { stalled: stalled.promise, sent: () => sent };
}

/** Reads and compares `count` blocks, starting with `first` and the bytes `rest` that were read before. Returns the remaining bytes. */
async function readBlocks(
  socket: Socket,
  { first, count, rest }: {
    readonly first: number;
    readonly count: number;
    readonly rest: Uint8Array;
  },
): Promise<Uint8Array> {
  let bytes = Buffer.from(rest);
  for (let index = first; index < first + count; index++) {
    const missing = Math.max(0, MEGABYTE - bytes.length);
    bytes = Buffer.concat([bytes, await readBytes(socket, missing)]);
    assert.ok(bytes.subarray(0, MEGABYTE).equals(block(index)), `${index}`);
    bytes = bytes.subarray(MEGABYTE);
  }
  return bytes;
}

/** A stream through the grid and its two ends. */
interface Stream extends Disposable {
  readonly client: Socket;
  readonly browser: Socket;
}

/** A grid with streams of different sessions. */
interface Scene extends AsyncDisposable {
  readonly programs: readonly RunningProgram[];
  stream(): Promise<Stream>;
}

async function scene(reach: Reach): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream({ onSocket: () => {} }));
  const grid: GivenGrid = stack.use(await givenGrid());
  const worker = await grid.worker(reach);
  const owned = stack.move();
  return {
    programs: [grid.server, worker],
    async stream() {
      const url = await grid.session(reach, upstream.endpoint);
      const client = owned.use(await rawClient(url));
      const browser = upstream.sockets.at(-1);
      assert.ok(browser);
      return { ...client, client: client.socket, browser };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/**
 * Floods a stream whose other end reads a little, stops and continues. Asserts the memory and the other stream during the
 * stall.
 */
async function stallAndContinue(
  { programs, stream }: Scene,
  ends: (stream: Stream) => { readonly from: Socket; readonly to: Socket },
): Promise<void> {
  const { from, to } = ends(await stream());
  const other = await stream();
  other.browser.pipe(other.browser);
  const before = await Promise.all(programs.map(({ pid }) => residentMb(pid)));
  const { stalled, sent } = flood(from);
  const rest = await readBlocks(to, {
    first: 0,
    count: BEFORE_MB,
    rest: new Uint8Array(),
  });
  await stalled;
  for (let index = 0; index < ECHOED_MB; index++) {
    other.client.write(block(index));
    await readBlocks(other.client, {
      first: index,
      count: 1,
      rest: new Uint8Array(),
    });
  }
  const held = sent() - BEFORE_MB;
  assert.ok(held < HELD_MB, `${held} MB are buffered`);
  for (const [at, { pid }] of programs.entries()) {
    const grown = await residentMb(pid) - (before[at] ?? 0);
    assert.ok(grown < GROWTH_MB, `${grown} MB more in program ${at}`);
  }
  await readBlocks(to, { first: BEFORE_MB, count: AFTER_MB, rest });
}

for (const reach of REACHES) {
  Deno.test(`a client or a browser that stops reading a gigabyte (${reach}) takes less than 64 MB in server and worker, does not affect other clients, and then gets every byte`, async () => {
    await using grid = await scene(reach);
    await stallAndContinue(grid, ({ client, browser }) => ({
      from: browser,
      to: client,
    }));
    await stallAndContinue(grid, ({ client, browser }) => ({
      from: client,
      to: browser,
    }));
  });
}
