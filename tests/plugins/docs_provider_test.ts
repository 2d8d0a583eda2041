/** The documentation's provider in the real program with a real browser, and in the contract suite of all providers. */
import assert from "node:assert/strict";
import { createClient } from "../../src/client/client.ts";
import { loadPlugins } from "../../src/cli/plugins.ts";
import type { Provider } from "../../src/core/provider.ts";
import { browserSpec } from "../support/browser_spec.ts";
import { eventually } from "../support/eventually.ts";
import { assertNothingLeft } from "../support/leaks.ts";
import { startProgram } from "../support/program.ts";
import { testProvider } from "../support/provider_contract.ts";
import {
  chromiumMissing,
  openProcessMachine,
  writeChromiumCommand,
} from "../support/process_machine.ts";
import { connectTo } from "../support/provider_machine.ts";
import { providerSource, savedPlugin } from "./docs_provider.ts";

const skip = chromiumMissing;
// deno-lint-ignore no-console -- the reason of a skipped test is its result
if (skip) console.log(`skipped: the documentation's provider: ${skip}`);

Deno.test("the documentation's provider is complete in under 40 lines", async () => {
  const lines = (await providerSource()).trimEnd().split("\n");
  assert.ok(lines.length < 40, `${lines.length} lines`);
});

Deno.test({
  name:
    "the documentation's provider, loaded by --plugin, runs a session's browser and leaves nothing of it",
  ignore: skip !== undefined,
  async fn() {
    await using plugin = await savedPlugin();
    await writeChromiumCommand(plugin.folder);
    const dataDir = `${plugin.folder}/data`;
    await using program = startProgram(
      [
        ...["serve", "--plugin", plugin.file, "--with-worker", "own_command"],
        ...["--port", "0", "--data-dir", dataDir],
      ],
      { PATH: `${plugin.folder}:${Deno.env.get("PATH")}` },
    );
    const [, url = ""] = await program.until(/API +(http:\S+)\/v1/);
    await program.until(/Plugins +own_command/);
    const client = createClient({ apiUrl: url });
    const session = await client.createSession({ browser: "chromium" }, {
      waitSeconds: 30,
    });
    assert.equal(session.status, "running", session.status_reason ?? "");
    assert.equal(session.provider, "own_command");
    const endpoint = new URL(session.connect_url);
    {
      await using browser = await connectTo({ endpoint });
      assert.match(await browser.version(), /Chrome/);
    }
    await client.stopSession(session.id);
    await eventually(
      "the session is completed",
      async () => (await client.getSession(session.id)).status === "completed",
    );
    await assertNothingLeft(`${dataDir}/own_command`);
  },
});

async function findProvider(): Promise<Provider> {
  await using plugin = await savedPlugin();
  const { providers } = await loadPlugins([plugin.file]);
  const found = providers.find(({ name }) => name === "own_command");
  assert.ok(found);
  return found;
}

testProvider("the documentation's provider", {
  open: async () =>
    openProcessMachine(await findProvider(), async (folder) => ({
      command: await writeChromiumCommand(folder),
    })),
  spec: browserSpec,
  skip,
}, {
  "prepare() rejects with the reason of its signal": "it prepares nothing",
  "start() of a headless browser sets the requested screen size":
    "it sets no size",
  "start() of a headful browser sets the requested screen size":
    "it is always headless",
  "start() turns off the features in the arguments in addition to its own":
    "it turns nothing off",
  "start() reveals a proxy's password to no other process": "it has no proxy",
  "logs() and stats() return output and resource use of the browser":
    "it has neither",
  "followLogs() yields the last output, console messages of pages as they come, and ends with the browser":
    "it has no output",
  "followLogs() yields the rest and ends when its signal is aborted":
    "it has no output",
});
