import assert from "node:assert/strict";
import { runProgram } from "../support/program.ts";

/** Text that would clear the screen, set its title, colour it, forge a line and reverse the text. */
const HOSTILE =
  "a\x1b[2J\x1b]0;owned\x07\x9b31m\x9d0;owned\x9c\rforged\u202etxt.exe\u2066\u2028\x7f\x00b";

/** Characters that must not reach a terminal: all that it obeys except line breaks and tabs. */
const OBEYED = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;

const ID = "01900000-0000-7000-8000-000000000000";

/** A record with every kind of field, each text hostile. */
const THING = {
  id: ID,
  ...Object.fromEntries(
    [
      ...["name", "status", "browser", "version", "provider", "status_reason"],
      ...["provider_type", "description", "reach", "prefix", "role", "detail"],
      ...["connect_url", "logs", "code", "title", "event", "owner"],
    ].map((name) => [name, HOSTILE]),
  ),
  created_at: "2026-11-29T18:00:00.000Z",
  timestamp: "2026-11-29T18:00:00.000Z",
  last_heartbeat: "2026-11-29T18:00:00.000Z",
  priority: 0,
  labels: { [HOSTILE]: HOSTILE },
  data: { message: HOSTILE },
};

Deno.test("no text of a server reaches the terminal unescaped", async () => {
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    ({ url }) => {
      if (url.includes("refused")) return Response.json(THING, { status: 409 });
      if (url.endsWith("/logs")) return new Response(HOSTILE);
      return Response.json({ ...THING, items: [THING] });
    },
  );
  const at = ["--api-url", `http://127.0.0.1:${server.addr.port}`];
  const commands = [
    ["session", "list"],
    ["session", "list", "--json"],
    ["session", "get", ID],
    ["session", "events", ID],
    ["session", "logs", ID],
    ["session", "stop", "refused"],
    ["worker", "list"],
    ["pool", "list"],
    ["key", "list"],
    ["shell", "--eval", `(await api.getSession("${ID}")).status_reason`],
  ];
  const outputs = await Promise.all(commands.map(async (words) => {
    const { stdout, stderr } = await runProgram([...words, ...at]);
    return { words: words.join(" "), stdout, stderr };
  }));
  for (const { words, stdout, stderr } of outputs) {
    assert.match(stdout + stderr, /owned/, `${words} shows it`);
    assert.doesNotMatch(stdout + stderr, OBEYED, words);
  }
  const json = outputs.find(({ words }) => words.endsWith("--json"));
  assert.equal(JSON.parse(json?.stdout ?? "")[0].name, HOSTILE);
});
