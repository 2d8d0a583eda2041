import assert from "node:assert/strict";
import { closeSync, writeSync } from "node:fs";
import type { OutputPart } from "../../../src/core/provider.ts";
import {
  OutputFile,
  OutputLimiter,
} from "../../../src/providers/local/output_file.ts";
import { eventually } from "../../support/eventually.ts";

const MEGABYTE = 2 ** 20;

interface Scene extends AsyncDisposable {
  readonly folder: string;
  readonly file: OutputFile;
  /** Writes as the browser. */
  write(text: string): void;
  /** Returns the size of all files. */
  size(): number;
}

async function openFile(): Promise<Scene> {
  const folder = await Deno.makeTempDir();
  const file = new OutputFile(folder);
  const output = file.create();
  return {
    folder,
    file,
    write: (text) => void writeSync(output, text),
    size: () =>
      Array.from(
        Deno.readDirSync(folder),
        ({ name }) => Deno.statSync(`${folder}/${name}`).size,
      ).reduce((sum, size) => sum + size, 0),
    async [Symbol.asyncDispose]() {
      closeSync(output);
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Returns lines with their numbers, of 100 bytes each. */
function lines(first: number, count: number): string {
  return Array.from(
    { length: count },
    (_, at) => `${first + at} `.padEnd(99, "x") + "\n",
  ).join("");
}

Deno.test("the files of a browser that writes without end stay small, and the last lines can be read", async () => {
  await using scene = await openFile();
  let cuts = 0;
  for (let at = 0; at < 50; at++) {
    scene.write(lines(at * 3_000, 3_000));
    if (scene.file.limit()) cuts++;
    assert.ok(scene.size() < 2 * MEGABYTE, `${scene.size()}`);
  }
  assert.equal(cuts, 12);
  const last = scene.file.readLastLines(200).split("\n");
  assert.equal(last.length, 200);
  assert.match(last[0] ?? "", /^149800 /);
  assert.match(last[199] ?? "", /^149999 /);
});

Deno.test("last lines continue over a cut", async () => {
  await using scene = await openFile();
  scene.write(lines(0, 20_000));
  scene.file.limit();
  scene.write("after\n");
  const [first, , last] = scene.file.readLastLines(3).split("\n");
  assert.match(first ?? "", /^19998 /);
  assert.equal(last, "after");
});

Deno.test("a later process reads what an earlier one has cut", async () => {
  await using scene = await openFile();
  scene.write(lines(0, 20_000));
  scene.file.limit();
  const later = new OutputFile(scene.folder);
  assert.match(later.readLastLines(1), /^19999 /);
});

Deno.test("a follower gets the last lines, then each new one once, also over a cut", async () => {
  await using scene = await openFile();
  scene.write(lines(0, 10_000));
  const end = new AbortController();
  const parts = scene.file.follow({ lines: 2, signal: end.signal });
  const { text } = read(await parts.next());
  assert.match(text, /^9998 x+\n9999 x+\n$/);
  scene.write(lines(10_000, 500));
  scene.file.limit();
  scene.write(lines(10_500, 100));
  end.abort();
  const rest = await Array.fromAsync(parts);
  assert.equal(
    rest.map((part) => part.text).join(""),
    lines(10_000, 600),
  );
  assert.ok(rest.every(({ omitted }) => omitted === 0));
});

Deno.test("a follower that is too slow misses counted bytes, and continues with a whole line", async () => {
  await using scene = await openFile();
  scene.write("start\n");
  const end = new AbortController();
  const parts = scene.file.follow({ lines: 10, signal: end.signal });
  assert.equal(read(await parts.next()).text, "start\n");
  scene.write(lines(0, 5_000));
  end.abort();
  const [part, ...more] = await Array.fromAsync(parts);
  assert.deepEqual(more, []);
  assert.ok(part);
  assert.equal(part.omitted + part.text.length, 500_000);
  assert.match(part.text, /^\d+ x+\n/);
  assert.ok(part.text.endsWith(lines(4_999, 1)));
});

Deno.test("a follower of a file without output yields what is written first", async () => {
  await using scene = await openFile();
  const end = new AbortController();
  const parts = scene.file.follow({ lines: 10, signal: end.signal });
  const next = parts.next();
  scene.write("first\n");
  assert.deepEqual(read(await next), { text: "first\n", omitted: 0 });
  end.abort();
  assert.deepEqual(await Array.fromAsync(parts), []);
});

Deno.test("a limiter cuts files until it is closed, and leaves those that are gone", async () => {
  const closed = new AbortController();
  const limiter = new OutputLimiter(closed.signal);
  await using scene = await openFile();
  await using other = await openFile();
  using _gone = limiter.add(new OutputFile("/nonexistent"));
  using _limit = limiter.add(scene.file);
  limiter.add(other.file)[Symbol.dispose]();
  for (const each of [scene, other]) each.write(lines(0, 20_000));
  await eventually(
    "the file is cut",
    () => Promise.resolve(scene.size() < MEGABYTE),
  );
  assert.equal(other.size(), 2_000_000);
  closed.abort();
});

function read(result: IteratorResult<OutputPart, void>): OutputPart {
  assert.ok(!result.done);
  return result.value;
}
