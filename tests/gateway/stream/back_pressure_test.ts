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

/** How clients get to the browser in these tests. */
const REACHES: readonly Reach[] = ["direct", "tunnel"];

const MEGABYTE = 2 ** 20;

/** What one side would send if the other read it, in megabytes. */
const STREAM_MB = 1_024;

/** What is read before the reader stops, and after it has gone on. */
const BEFORE_MB = 8;
const AFTER_MB = 64;

/** What a stream that nobody reads may cost the server, or the worker. */
const GROWTH_MB = 64;

/** What the system's buffers may hold of it, on all connections together. */
const HELD_MB = 64;

/** What the other client sends and gets back meanwhile. */
const ECHOED_MB = 8;

/** A sender has no room for so long: somebody down the line does not read. */
const STALL_MS = 300;

/** A megabyte that differs from place to place, and from all others. */
function block(index: number): Buffer {
  const bytes = Buffer.from(PATTERN);
  bytes.writeUInt32BE(index);
  return bytes;
}

const PATTERN = Uint8Array.from(
  { length: MEGABYTE },
  (_, at) => (at * 31 + (at >> 8)) & 0xff,
);

/** Sends a gigabyte as fast as it is taken. */
interface Flood {
  /** Resolves when nothing is taken any more. */
  readonly stalled: Promise<void>;
  /** What was taken, in megabytes. */
  taken(): number;
}

function flood(socket: Socket): Flood {
  const stalled = Promise.withResolvers<void>();
  let taken = 0;
  let quiet: ReturnType<typeof setTimeout> | undefined;
  function pump(): void {
    clearTimeout(quiet);
    while (taken < STREAM_MB) if (!socket.write(block(taken++))) break;
    quiet = setTimeout(() => stalled.resolve(), STALL_MS);
  }
  socket.on("drain", pump);
  socket.on("close", () => clearTimeout(quiet));
  pump();
  return { stalled: stalled.promise, taken: () => taken };
}

/** Reads blocks from `first` on, each in its place; `rest` is what was read before and belongs to them. Returns the rest. */
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

/** One stream through the grid, both of its ends in our hands. */
interface Stream extends Disposable {
  readonly client: Socket;
  readonly browser: Socket;
}

/** A grid with streams, each of a session of its own. */
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
 * Has `from` flood a stream whose other end reads a little, then nothing, then goes on; asserts what that costs meanwhile.
 */
async function stallAndGoOn(
  { programs, stream }: Scene,
  ends: (stream: Stream) => { readonly from: Socket; readonly to: Socket },
): Promise<void> {
  const { from, to } = ends(await stream());
  const other = await stream();
  other.browser.pipe(other.browser);
  const before = await Promise.all(programs.map(({ pid }) => residentMb(pid)));
  const { stalled, taken } = flood(from);
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
  const held = taken() - BEFORE_MB;
  assert.ok(held < HELD_MB, `${held} MB are on the way`);
  for (const [at, { pid }] of programs.entries()) {
    const grown = await residentMb(pid) - (before[at] ?? 0);
    assert.ok(grown < GROWTH_MB, `${grown} MB more in program ${at}`);
  }
  await readBlocks(to, { first: BEFORE_MB, count: AFTER_MB, rest });
}

for (const reach of REACHES) {
  Deno.test(`a client or a browser that stops reading in the middle of a gigabyte (${reach}) costs server and worker less than 64 MB, and others nothing; it gets every byte when it goes on`, async () => {
    await using grid = await scene(reach);
    await stallAndGoOn(grid, ({ client, browser }) => ({
      from: browser,
      to: client,
    }));
    await stallAndGoOn(grid, ({ client, browser }) => ({
      from: client,
      to: browser,
    }));
  });
}
