import assert from "node:assert/strict";
import { join } from "node:path";
import { cli } from "../support/cli.ts";

const TEXT = '{ "port": 4321, "data_dir": "/srv/grün" }';

/** Encodes the text in UTF-16 with a byte order mark. */
function utf16(text: string, isLittle: boolean): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(2 * text.length + 2));
  [...`\ufeff${text}`].forEach((character, at) =>
    bytes.setUint16(2 * at, character.charCodeAt(0), isLittle)
  );
  return new Uint8Array(bytes.buffer);
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const LITTLE = true;
const BIG = false;

Deno.test("a configuration file may be UTF-8, with or without a byte order mark, or UTF-16 with one", async () => {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-test-" });
  const path = join(folder, "browsergrid.json");
  const contents = [
    utf8(TEXT),
    utf8(`\ufeff${TEXT}`),
    utf16(TEXT, LITTLE),
    utf16(TEXT, BIG),
  ];
  for (const bytes of contents) {
    await Deno.writeFile(path, bytes);
    const { out, err, code } = await cli(
      ...["settings", "--values", "--json", "--config", path],
    );
    assert.equal(code, 0, err);
    assert.match(out, /4321/);
    assert.match(out, /\/srv\/grün/);
  }
  for (
    const bytes of [
      utf16(TEXT, LITTLE).slice(2),
      utf8(TEXT).map((each) => each ^ 0x80),
    ]
  ) {
    await Deno.writeFile(path, bytes);
    const { err, code } = await cli("settings", "--values", "--config", path);
    assert.notEqual(code, 0);
    assert.match(
      err,
      /Cannot read .*browsergrid\.json": expected a readable JSON/,
    );
  }
  await Deno.remove(folder, { recursive: true });
});
