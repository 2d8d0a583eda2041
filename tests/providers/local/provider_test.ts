import assert from "node:assert/strict";
import { local } from "../../../src/providers/local/provider.ts";
import { browserSpec } from "../../support/browser_spec.ts";

const SPEC = browserSpec();

Deno.test("deployCommand() contains the names of variables and hides their values", async () => {
  const command = await local.deployCommand(
    { ...SPEC, environment: { TOKEN: "planted" } },
    local.configSchema.parse({}),
  );
  assert.match(command, /^TOKEN=… chromium --remote-debugging-port=9222 /);
  assert.ok(!command.includes("planted"));
});

Deno.test("deployCommand() contains the pool's and the session's arguments, quoted for a shell", async () => {
  const command = await local.deployCommand(
    { ...SPEC, arguments: ["--lang=de", "--user-agent=it's $(me)"] },
    local.configSchema.parse({ arguments: ["--lang=en", "--no-pings"] }),
  );
  assert.ok(
    command.endsWith(
      ` --lang=de --no-pings '--user-agent=it'\\''s $(me)'`,
    ),
    command,
  );
});
