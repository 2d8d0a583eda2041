import assert from "node:assert/strict";
import { createClient } from "../../src/client/client.ts";
import { assertNothingLeft } from "../support/leaks.ts";
import { startProgram } from "../support/program.ts";

const PASSWORD = "hush-proxy-password";
const VALUE = "hush-variable";

/** Command lines of every process of this machine. */
async function commandLines(): Promise<string> {
  const lines: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    lines.push(
      await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => ""),
    );
  }
  return lines.join("\n");
}

Deno.test("a proxy's password and a variable's value are in no response, no log and no command line, also at log level debug", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "browsergrid-e2e-" });
  try {
    await using program = startProgram(
      ["serve", "--with-worker", "--port", "0", "--debug"]
        .concat("--data-dir", dataDir),
    );
    const [, url = ""] = await program.until(/API +(http:\S+)\/v1/);
    const client = createClient({ apiUrl: url });
    const session = await client.createSession({
      proxy: {
        proxy_url: "http://127.0.0.1:9",
        proxy_username: "me",
        proxy_password: PASSWORD,
      },
      environment: { TOKEN: VALUE },
    }, { waitSeconds: 60 });
    assert.equal(session.status, "running");
    const pid = Number(session.details.pid);
    const environment = await Deno.readTextFile(`/proc/${pid}/environ`);
    assert.match(environment, /TOKEN=hush-variable/, "the browser has it");
    const lines = await commandLines();
    assert.match(lines, /--proxy-server=/);
    const seen = lines + JSON.stringify(session) +
      JSON.stringify(
        await client.getSession(session.id, { include: "events" }),
      );
    await client.stopSession(session.id);
    await program[Symbol.asyncDispose]();
    for (const text of [seen, program.output()]) {
      assert.ok(!text.includes(PASSWORD));
      assert.ok(!text.includes(VALUE));
    }
  } finally {
    await assertNothingLeft(dataDir);
    await Deno.remove(dataDir, { recursive: true });
  }
});
