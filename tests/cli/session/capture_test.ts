import assert from "node:assert/strict";
import { run } from "../../../src/cli/program.ts";
import { gatewayScene } from "../../gateway/scene.ts";
import { cli } from "../../support/cli.ts";
import { fakePage } from "../../support/fake_page.ts";
import { silent } from "../../support/silent_output.ts";

/** Captures of the fake page. */
const CAPTURES = [
  ["screenshot", "a picture"],
  ["pdf", "%PDF-1.4 %%EOF"],
  ["content", "<!DOCTYPE html><html></html>"],
] as const;

Deno.test("session screenshot, pdf and content save to a file, or print the bytes as they are", async () => {
  await using scene = await gatewayScene({ upstream: { page: fakePage() } });
  const { grid, sessionId } = scene;
  const file = `${grid.dataDir}/capture`;
  for (const [name, text] of CAPTURES) {
    const words = ["session", name, sessionId, "--api-url", grid.url];
    assert.deepEqual(await cli(...words), { code: 0, out: text, err: "" });
    const saved = await cli(...words, "--output", file);
    assert.equal(saved.out, `Saved ${file} (${text.length} bytes)`);
    assert.equal(await Deno.readTextFile(file), text);
    const { out } = await cli(...words, "--output", file, "--json");
    assert.deepEqual(JSON.parse(out), { file, bytes: text.length });
  }
});

Deno.test("options of a capture reach the browser", async () => {
  const sent: string[] = [];
  await using scene = await gatewayScene({
    upstream: {
      page: (socket) => {
        socket.on("message", (data) => void sent.push(String(data)));
        fakePage()(socket);
      },
    },
  });
  const { grid, sessionId } = scene;
  const capture = (...words: readonly string[]) =>
    cli("session", ...words, sessionId, "--api-url", grid.url);
  await capture(
    "screenshot",
    "--format",
    "webp",
    "--quality",
    "7",
    "--full-page",
  );
  assert.match(sent.at(-1) ?? "", /"webp","quality":7,"captureBeyondViewport"/);
  sent.length = 0;
  await capture(
    "pdf",
    ...["--format", "a5", "--height", "9", "--scale", "0.5"],
    ...["--landscape", "--print-background"],
  );
  assert.deepEqual(JSON.parse(sent[0] ?? "{}").params, {
    landscape: true,
    scale: 0.5,
    printBackground: true,
    paperWidth: 5.83,
    paperHeight: 9,
    transferMode: "ReturnAsStream",
  });
  const refused = await capture("content", "--target", "NONE");
  assert.equal(refused.code, 1);
  assert.match(refused.err, /target_not_found/);
});

Deno.test("a capture is not printed on a terminal or as JSON, and the server is not asked for it", async () => {
  const errors: string[] = [];
  const output = {
    ...silent,
    isTerminal: true,
    error: (line: string) => void errors.push(line),
  };
  const unreachable = ["--api-url", "http://127.0.0.1:1"];
  for (
    const [name, ...flags] of [
      ["screenshot"],
      ["pdf"],
      ["pdf", "--json"],
      ["content", "--json"],
    ]
  ) {
    const words = [
      "session",
      String(name),
      "SESSION",
      ...unreachable,
      ...flags,
    ];
    assert.equal(await run(words, output), 2);
    assert.match(errors.at(-1) ?? "", /expected --output FILE/);
  }
});
