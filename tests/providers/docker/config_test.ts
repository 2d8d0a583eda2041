import assert from "node:assert/strict";
import { listSecretOptions } from "../../../src/core/provider/secret_options.ts";
import { docker as dockerProvider } from "../../../src/providers/docker/provider.ts";
import { expandImageName } from "../../../src/providers/kit/image/image_name.ts";
import { browserSpec } from "../../support/browser_spec.ts";

const defaults = dockerProvider.configSchema.parse({});

Deno.test("expandImageName() replaces every {browser} and {version}", () => {
  const asked = { browser: "chrome", version: "126" } as const;
  assert.equal(
    expandImageName("registry:5000/{browser}/{browser}:{version}", asked),
    "registry:5000/chrome/chrome:126",
  );
});

Deno.test("browsers() accepts exact versions only if the image's name depends on them", () => {
  const [fixed] = dockerProvider.browsers(defaults);
  assert.deepEqual(fixed?.versions, ["latest", "stable"]);
  const [any] = dockerProvider.browsers({
    ...defaults,
    image: "x/{browser}:{version}",
  });
  assert.deepEqual(any?.versions, ["*"]);
});

Deno.test("configSchema rejects a misspelt member", () => {
  assert.throws(() => dockerProvider.configSchema.parse({ imgae: "x" }));
});

Deno.test("configSchema describes every member", () => {
  for (
    const [name, member] of Object.entries(dockerProvider.configSchema.shape)
  ) {
    assert.ok(member.description, name);
  }
});

Deno.test("deployCommand() contains the names of variables and hides their values", async () => {
  const command = await dockerProvider.deployCommand(
    browserSpec({ environment: { TOKEN: "planted" }, cpu: 2 }),
    defaults,
  );
  assert.match(command, /^docker run .*--cpus 2 .*--env TOKEN=… /);
  assert.ok(!command.includes("planted"));
});

Deno.test("deployCommand() contains no credentials of a registry", async () => {
  const command = await dockerProvider.deployCommand(browserSpec(), {
    ...defaults,
    registry_username: "planted-user",
    registry_password: "planted-password",
  });
  assert.ok(!command.includes("planted"), command);
});

Deno.test("the password of a registry is a secret option", () => {
  assert.deepEqual(listSecretOptions(dockerProvider.configSchema), [
    "registry_password",
  ]);
});

Deno.test("deployCommand() contains the session's arguments after the pool's, quoted for a shell", async () => {
  const command = await dockerProvider.deployCommand(
    browserSpec({ arguments: ["--lang=de", "--user-agent=it's $(me)"] }),
    { ...defaults, arguments: ["--lang=en", "--no-pings"] },
  );
  assert.ok(
    command.endsWith(
      ` --lang=de --no-pings '--user-agent=it'\\''s $(me)' about:blank`,
    ),
    command,
  );
});

Deno.test("deployCommand() of a session with limited egress starts as root with the required capabilities, and hides its proxy's password", async () => {
  const command = await dockerProvider.deployCommand(
    browserSpec({
      egress: { mode: "no_private", allow: ["10.1.0.0/16"], pool: "crawl" },
      proxy: {
        proxy_url: "http://proxy.example:3128",
        proxy_username: "me",
        proxy_password: "planted",
      },
    }),
    defaults,
  );
  for (
    const part of [
      "--cap-add NET_ADMIN",
      "--user root",
      "--env BROWSERGRID_EGRESS=no_private",
      "--env BROWSERGRID_EGRESS_ALLOW=10.1.0.0/16",
      "--env BROWSERGRID_EGRESS_UPSTREAM=http://proxy.example:3128",
      "--env BROWSERGRID_EGRESS_CREDENTIALS=…",
      "--proxy-server=http://127.0.0.1:3128",
    ]
  ) assert.ok(command.includes(` ${part} `), part);
  assert.ok(
    !command.includes("planted") && !command.includes(btoa("me:planted")),
  );
});
