import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import { buildNative } from "../../../../.ci/native.ts";
import { openJoinLibrary } from "../../../../src/gateway/stream/native/join_library.ts";
import { StreamThreads } from "../../../../src/gateway/stream/thread/stream_threads.ts";
import { builtLibrary } from "../../../support/native_library.ts";
import { readBytes } from "../../../support/raw_client.ts";
import { HEAD, type Joined, joinedScene } from "../joined_scene.ts";

/** Without a compiler, `builtLibrary` has told why. */
const ignore = await builtLibrary() === undefined;

const HARNESS = fileURLToPath(new URL("harness.c", import.meta.url));
const SOURCE = fileURLToPath(
  new URL("../../../../src/gateway/stream/native/join.c", import.meta.url),
);

const CONFIG = fileURLToPath(
  new URL("../../../../deno.json", import.meta.url),
);

Deno.test("a thousand streams that are open at once carry their own bytes", {
  ignore,
}, async () => {
  await using scene = await joinedScene("native join");
  const streams: Joined[] = [];
  while (streams.length < 1_000) {
    const stream = await scene.join();
    stream.browser.pipe(stream.browser);
    streams.push(stream);
  }
  await Promise.all(streams.map(async ({ client, stream }, at) => {
    await readBytes(client, HEAD.length);
    for (let trip = 0; trip < 5; trip++) {
      const sent = Buffer.alloc(1 + at * 5, `${at}.${trip} `);
      client.write(sent);
      assert.ok(sent.equals(await readBytes(client, sent.length)));
    }
    if (at % 2 === 0) client.destroy();
    else stream.close({ code: 1_001, reason: "" });
    client.resume();
    client.on("end", () => client.destroy());
    const { by, bytesIn, bytesOut } = await stream.ended;
    const bytes = 5 * (1 + at * 5);
    assert.deepEqual([by, bytesIn, bytesOut], [
      at % 2 === 0 ? "client" : "grid",
      bytes,
      bytes,
    ]);
  }));
});

Deno.test(
  "a ping is sent only between frames of the browser, and its response is not counted",
  { ignore },
  async () => {
    await using scene = await joinedScene("native join");
    const { client, browser, stream } = await scene.join();
    await readBytes(client, HEAD.length);
    browser.write(Uint8Array.of(0x81, 0x02, 0x61));
    await readBytes(client, 3);
    stream.ping();
    client.write("x");
    await readBytes(browser, 1);
    browser.write("b");
    assert.deepEqual(await readBytes(client, 1), Buffer.from("b"));
    stream.ping();
    assert.deepEqual(await readBytes(client, 2), Buffer.of(0x89, 0x00));
    const pong = Uint8Array.of(0x8a, 0x80, 1, 2, 3, 4);
    client.write(pong);
    assert.deepEqual(await readBytes(browser, 6), Buffer.from(pong));
    client.write("y");
    await readBytes(browser, 1);
    assert.equal(stream.countBytes(), "xy".length + 4);
  },
);

Deno.test(
  "a library that is missing, or is another one, is not used, and streams go through the stream thread",
  { ignore },
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      const source = `${folder}/other.c`;
      const other = `${folder}/other.so`;
      await Deno.writeTextFile(
        source,
        (await Deno.readTextFile(SOURCE)).replace(
          /#define VERSION \d+/,
          "#define VERSION 0",
        ),
      );
      assert.equal(
        await buildNative(Deno.build.arch, other, source),
        undefined,
      );
      for (const path of [`${folder}/missing.so`, HARNESS, other]) {
        assert.equal(openJoinLibrary(path), undefined);
        await using scene = await joinedScene(
          "native join",
          new StreamThreads({ library: path }),
        );
        const { client, browser } = await scene.join();
        client.write("hello");
        assert.equal(String(await readBytes(browser, 5)), "hello");
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

Deno.test("two builds are equal byte for byte, wherever they are made", {
  ignore,
}, async () => {
  for (const machine of ["x86_64", "aarch64"] as const) {
    const builds: Uint8Array[] = [];
    for (const prefix of ["a", "some_longer_name"]) {
      const folder = await Deno.makeTempDir({ prefix });
      const source = `${folder}/join.c`;
      await Deno.copyFile(SOURCE, source);
      const problem = await buildNative(machine, `${folder}/join.so`, source);
      if (problem === undefined) {
        builds.push(await Deno.readFile(`${folder}/join.so`));
      } else {
        // deno-lint-ignore no-console -- the reason of a skipped check is its result
        console.log(`skipped: the build for ${machine}: ${problem}`);
      }
      await Deno.remove(folder, { recursive: true });
    }
    assert.deepEqual(builds[0], builds[1]);
  }
});

for (const sanitizers of ["address,undefined", "thread"]) {
  Deno.test(
    `the loop uses no memory, descriptor or byte that is not its own, under any interleaving (${sanitizers})`,
    { ignore },
    async () => {
      const program = await Deno.makeTempFile();
      try {
        const compiled = await run("gcc", [
          ...["-std=gnu11", "-g", "-O1", `-fsanitize=${sanitizers}`],
          ...["-o", program, HARNESS, SOURCE, "-lpthread"],
        ]);
        assert.ok(compiled.success, compiled.text);
        for (const seed of ["1", "2"]) {
          const { success, text } = await run(program, [seed, "2"]);
          assert.ok(success, text);
          assert.match(
            text,
            /^[1-9]\d+ streams returned, next descriptor 3\n$/,
          );
        }
      } finally {
        await Deno.remove(program);
      }
    },
  );
}

async function run(command: string, args: readonly string[]) {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    stdin: "null",
  }).output();
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { success, text: text.join("") };
}

/** Serves a stream with the native join, and then fails. */
const FAILING = `
  import { StreamThreads } from ${
  JSON.stringify(
    new URL(
      "../../../../src/gateway/stream/thread/stream_threads.ts",
      import.meta.url,
    ),
  )
};
  await new StreamThreads({ library: Deno.args[0] }).start();
  setTimeout(() => { throw new Error("failed as asked") }, 50);
`;

Deno.test("a program whose main thread fails ends, although the loop runs", {
  ignore,
}, async () => {
  const { success, text } = await run(Deno.execPath(), [
    ...["eval", "--no-check", "--ext=ts", FAILING, await builtLibrary() ?? ""],
  ]);
  assert.ok(!success);
  assert.match(text, /failed as asked/);
});

/** Prints whether the library is opened, without the permission to load any. */
const WITHOUT_PERMISSION = `
  import { openJoinLibrary } from ${
  JSON.stringify(
    new URL(
      "../../../../src/gateway/stream/native/join_library.ts",
      import.meta.url,
    ),
  )
};
  console.log(openJoinLibrary(Deno.args[0]) === undefined);
`;

Deno.test(
  "a program that may not load libraries is not asked for the permission and goes on without",
  { ignore },
  async () => {
    const module = await Deno.makeTempFile({ suffix: ".ts" });
    try {
      await Deno.writeTextFile(module, WITHOUT_PERMISSION);
      const { success, text } = await run(Deno.execPath(), [
        ...["run", "--no-check", "--quiet", "--allow-read", "--allow-env"],
        ...["--config", CONFIG],
        ...[module, await builtLibrary() ?? ""],
      ]);
      assert.ok(success, text);
      assert.equal(text, "true\n");
    } finally {
      await Deno.remove(module);
    }
  },
);
