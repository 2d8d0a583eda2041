import assert from "node:assert/strict";
import { cli } from "../../support/cli.ts";
import { testGrid } from "../../support/grid.ts";

Deno.test("pool update --provider-option changes single options, rotates a secret and keeps the others", async () => {
  await using grid = await testGrid({ listen: true });
  const path = await Deno.makeTempFile();
  const at = ["--api-url", grid.url, "--json"];
  const update = (...options: readonly string[]) =>
    cli("pool", "update", "cloud", ...options, ...at);
  try {
    const created = await cli(
      ...["pool", "create", "azure_container_instance", "--name", "cloud"],
      ...[
        "--resource-group",
        "g",
        "--subscription-id",
        "00000000-0000-0000-0000-000000000001",
        "--cpu",
        "2",
      ],
      ...["--client-secret", "old", ...at],
    );
    assert.equal(created.code, 0, created.err);
    await Deno.writeTextFile(path, "new-secret\n");
    const changed = await update(
      ...["--provider-option", "capacity=6", `client-secret=@${path}`],
      ...["arguments=--lang=de", "arguments=--mute-audio"],
    );
    assert.equal(changed.code, 0, changed.err);
    assert.doesNotMatch(changed.out, /new-secret/);
    const { provider_config, provider_secrets } = JSON.parse(changed.out);
    const { resource_group, capacity, cpu, arguments: args } = provider_config;
    assert.deepEqual([resource_group, capacity, cpu, args], [
      "g",
      6,
      2,
      ["--lang=de", "--mute-audio"],
    ]);
    assert.deepEqual(provider_secrets, ["client_secret"]);
    const removed = await update(
      ...["--provider-option", "cpu=null", "client_secret=null"],
    );
    const after = JSON.parse(removed.out);
    assert.deepEqual(
      [after.provider_config.cpu, after.provider_config.capacity],
      [undefined, 6],
    );
    assert.deepEqual(after.provider_secrets, []);
    const rejected = [
      [["--provider-option", "capcity=6"], /did you mean "capacity"\?/],
      [
        ["--provider-option", "color=red"],
        /has no such option, expected one of resource_group, /,
      ],
      [["--provider-option", "capacity"], /expected NAME=VALUE/],
      [
        ["--provider-option", "client_secret=@/none"],
        /"\/none": it does not exist/,
      ],
      [
        ["--provider-config", '{"client_secret":"@/none"}'],
        /"\/none": it does not exist/,
      ],
      [
        ["--provider-config", "{}", "--provider-option", "cpu=1"],
        /expected one of them/,
      ],
    ] as const;
    for (const [options, expected] of rejected) {
      const { code, err } = await update(...options);
      assert.equal(code, 2, err);
      assert.match(err, expected);
    }
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("pool create and update warn of workers to keep if the server starts none", async () => {
  await using grid = await testGrid({ listen: true });
  const at = ["--api-url", grid.url, "--json"];
  const warning =
    /^Warning: The server starts no workers .* the 2 of min_workers$/m;
  const created = await cli(
    ...["pool", "create", "docker", "--name", "box", "--min-workers", "2"],
    ...at,
  );
  assert.match(created.err, warning);
  const update = (count: string) =>
    cli("pool", "update", "box", "--min-workers", count, ...at);
  assert.match((await update("2")).err, warning);
  assert.equal((await update("0")).err, "");
});
