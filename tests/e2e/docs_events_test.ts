/** Runs the snippets of the documentation of events and webhooks, as written, against a real grid. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createClient } from "../../src/client/client.ts";
import { ROOT } from "../support/doc_snippets.ts";
import { startReceiver } from "../support/webhook_receiver.ts";
import { scene, succeeds } from "./docs_scene.ts";

Deno.test("the documentation's events work as written", async () => {
  await using grid = await scene([]);
  const { shell, here } = grid;
  const client = createClient({ apiUrl: grid.url });
  await client.createPool({ name: "here", provider_type: "local" });
  const create = async () => {
    const { id } = await client.createSession({ labels: { team: "search" } });
    await client.stopSession(id);
    return id;
  };
  const id = await create();
  const [failed = "", follow = ""] = here("events_command").trim().split("\n");
  assert.match(await succeeds(shell, failed), /Nothing to show/);
  await shell.until(
    follow,
    new RegExp(`^\\S+Z +session.completed +${id}`, "m"),
  );

  const creating = new AbortController();
  const created = (async () => {
    while (!creating.signal.aborted) await create();
  })();
  await shell.until(
    here("events_stream"),
    /^id: \d+\nevent: session\.created\ndata: \{"sequence":\d+,/m,
  );
  creating.abort();
  await created;
  const resume = here("events_resume").replace("42", "3");
  await shell.until(resume, /^id: 3$[^]*^id: 4$/m);

  const source = here("events_client").replace(
    /"[^"]*client\.ts"/,
    `"${join(ROOT, "src/client/client.ts")}"`,
  );
  const file = join(shell.folder, "events.ts");
  await Deno.writeTextFile(file, source);
  const run = `deno run --quiet --no-check --config ${ROOT}deno.json -A`;
  const printed = await succeeds(shell, `${run} ${file}`);
  assert.match(
    printed,
    new RegExp(`^\\d+ session.created ${id}\n[^]* session.completed ${id}\n$`),
  );
});

Deno.test("the documentation's commands of webhooks work as written", async () => {
  await using receiver = await startReceiver();
  await using grid = await scene([], {
    BROWSERGRID_WEBHOOK_ALLOW_HTTP: "true",
    BROWSERGRID_WEBHOOK_ALLOWED_NETWORKS: "127.0.0.1",
  });
  const [create = "", ...lines] = grid.here("webhook_command").trim()
    .replace("https://hooks.example/x", receiver.url).split("\n");
  const created = await succeeds(grid.shell, create);
  const [, id = ""] = /^Webhook +(\S+)$/m.exec(created) ?? [];
  const printed = await succeeds(
    grid.shell,
    lines.join("\n").replaceAll("WEBHOOK", id),
  );
  assert.match(printed, /^Test 1 is delivered: HTTP 204 /m);
  assert.match(printed, /^1 .* webhook\.test +delivered /m);
  assert.match(printed, /^Delivery 1 is /m);
  assert.match(printed, /^Secret +whsec_/m);
  assert.match(printed, /^active +false$/m);
  assert.match(printed, /^Deleted webhook /m);
});
