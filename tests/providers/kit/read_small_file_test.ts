import assert from "node:assert/strict";
import { readSmallFile } from "../../../src/providers/kit/read_small_file.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

Deno.test("readSmallFile() reads a file of at most the maximum size, also through a link", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/file`;
  const text = "é".repeat(50_000);
  await Deno.writeTextFile(path, text);
  await Deno.symlink(path, `${folder.path}/link`);
  assert.equal(await readSmallFile(path, 100_000), text);
  assert.equal(await readSmallFile(`${folder.path}/link`, 100_000), text);
  await assert.rejects(readSmallFile(path, 99_999), /has more than 99999/);
});

Deno.test({
  name:
    "readSmallFile() rejects devices and pipes, and ends in files of unknown size",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await temporaryFolder();
    const pipe = `${folder.path}/pipe`;
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    for (const path of ["/dev/zero", pipe, folder.path]) {
      await assert.rejects(readSmallFile(path, 9), /it is no regular file/);
    }
    if (Deno.build.os !== "linux") return;
    assert.equal((await Deno.stat("/proc/self/maps")).size, 0);
    await assert.rejects(readSmallFile("/proc/self/maps", 9), /more than 9/);
  },
});
