import assert from "node:assert/strict";
import { configureLog } from "../../../src/core/log.ts";
import { rawClient } from "../../support/raw_client.ts";
import { BOOTSTRAP_KEY, keyedGrid } from "../../support/keys.ts";
import { startUpstream } from "../../support/upstream.ts";

/** Records all log lines, debug included, until disposed. */
async function listen(): Promise<AsyncDisposable & { text(): string }> {
  const write = Deno.stderr.writeSync;
  const lines: string[] = [];
  Deno.stderr.writeSync = (bytes) => {
    lines.push(new TextDecoder().decode(bytes));
    return bytes.length;
  };
  const log = await configureLog({ log_level: "debug", log_format: "json" });
  return {
    text: () => lines.join(""),
    async [Symbol.asyncDispose]() {
      await log[Symbol.asyncDispose]();
      Deno.stderr.writeSync = write;
    },
  };
}

Deno.test("only the response that creates a key contains it, and no log line does", async () => {
  await using upstream = await startUpstream();
  await using log = await listen();
  const answers: string[] = [];
  const keys: string[] = [BOOTSTRAP_KEY];
  {
    await using grid = await keyedGrid({ listen: true });
    await grid.admin.pool();
    const client = await grid.key({ name: "client" });
    const worker = await grid.key({ role: "worker" });
    const revoked = await grid.key({ role: "admin" });
    await grid.admin.call("DELETE", `/keys/${revoked.id}`);
    keys.push(client.key, worker.key, revoked.key);
    const { claimed } = await grid.admin.running({}, upstream.endpoint);
    const paths = [
      "/sessions",
      "/keys",
      `/keys/${client.id}`,
      "/workerpool/pools",
      "/workerpool/workers",
      `/sessions/${claimed.id}?include=events,metrics`,
      `/sessions/${claimed.id}/cdp/json/version`,
      "/connect/json/version",
    ];
    for (const key of keys) {
      for (const path of paths) {
        answers.push((await grid.as(key).call("GET", path)).text);
        // The response repeats the query in its connect URLs.
        if (path.startsWith("/connect")) continue;
        const query = await grid.request(
          `/v1${path}${path.includes("?") ? "&" : "?"}token=${key}`,
        );
        answers.push(await query.text());
      }
      const socket = `${grid.url.replace("http", "ws")}/v1/sessions`;
      using joined = await rawClient(
        `${socket}/${claimed.id}/cdp?token=${key}`,
      );
      answers.push(joined.head);
    }
    // A key in a place that expects none is recognised by its form.
    for (const key of keys.filter((each) => each !== BOOTSTRAP_KEY)) {
      for (const path of paths) {
        answers.push(
          (await grid.admin.call("GET", `${path}/${key}`)).text,
          (await grid.admin.call("POST", path, { [key]: key })).text,
        );
      }
      answers.push((await grid.admin.call("DELETE", `/keys/${key}`)).text);
    }
  }
  const text = log.text();
  assert.match(text, /GET/);
  const lines = [
    ...text.split("\n"),
    ...answers.flatMap((each) => each.split("\n")),
  ];
  for (const key of keys) {
    // The prefix of a key is not secret.
    const secret = key === BOOTSTRAP_KEY ? key : key.slice(12);
    assert.equal(lines.find((each) => each.includes(secret)), undefined);
  }
});
