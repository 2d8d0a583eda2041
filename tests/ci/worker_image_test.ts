/**
 * The image of workers with a browser, as a machine that a server starts runs it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { buildWorkerImage } from "../../.ci/image/worker.ts";
import { createClient } from "../../src/client/client.ts";
import { cdpClient } from "../support/cdp_client.ts";
import { dockerMissing, TEST_IMAGE } from "../support/docker.ts";
import { testGrid } from "../support/grid.ts";
import {
  callDocker,
  inspectContainer,
  openProgramImage,
} from "../support/program_image.ts";

/** Time of a start with an empty cache of the machine. */
const START_SECONDS = 60;

if (dockerMissing !== undefined) {
  // deno-lint-ignore no-console -- the reason of a skipped test is its result
  console.log(`skipped: the image of workers: ${dockerMissing}`);
}

/** Builds the image over one of the program. Disposal removes it. */
async function openWorkerImage(
  program: string,
): Promise<{ readonly tag: string } & AsyncDisposable> {
  const options = {
    program,
    browser: TEST_IMAGE,
    tag: `browsergrid/worker:${program.split(":")[1]}`,
  };
  const tag = await buildWorkerImage(options)
    .catch(() => buildWorkerImage({ ...options, network: "host" }));
  return {
    tag,
    async [Symbol.asyncDispose]() {
      await callDocker("rmi", tag);
    },
  };
}

Deno.test({
  name:
    "a container of the workers' image runs sessions through its tunnel as an unprivileged user, and drains at SIGTERM",
  ignore: dockerMissing !== undefined,
  fn: async () => {
    await using image = await openProgramImage();
    await using worker = await openWorkerImage(image.tag);
    await using grid = await testGrid({ listen: true });
    const client = createClient({ apiUrl: grid.url });
    await client.createPool({
      name: "machines",
      provider_type: "local",
      provider_config: { sandbox: "off" },
    });
    const container = await callDocker(
      ...["run", "--detach", "--network", "host", "--read-only"],
      ...["--tmpfs", "/tmp", "--cap-drop", "ALL", "--label", image.label],
      ...["--security-opt", "no-new-privileges", worker.tag, "worker"],
      ...["--work-pool-id", "machines", "--api-url", grid.url],
      ...["--reach", "tunnel"],
    );
    try {
      const session = await client.createSession({}, {
        waitSeconds: START_SECONDS,
      });
      assert.equal(session.status, "running");
      {
        await using browser = await cdpClient(session.connect_url ?? "");
        const { product } = await browser.call("Browser.getVersion");
        assert.match(product, /Chrome/);
      }
      const status = await callDocker("exec", container, "ps", "-eo", "uid=");
      assert.deepEqual(new Set(status.split(/\s+/)), new Set(["10001"]));
      await client.stopSession(session.id);
      await callDocker("stop", "--time", "30", container);
      const code = await inspectContainer(container, ".State.ExitCode");
      assert.equal(code, "0");
      const { items } = await client.listWorkers();
      assert.deepEqual(items.map((each) => each.status), ["offline"]);
    } catch (error) {
      throw new Error(await callDocker("logs", container), { cause: error });
    } finally {
      await callDocker("rm", "--force", "--volumes", container);
    }
  },
});
