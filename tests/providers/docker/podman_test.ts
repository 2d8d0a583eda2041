import assert from "node:assert/strict";
import type { BrowserHost } from "../../../src/core/provider.ts";
import { docker as dockerProvider } from "../../../src/providers/docker/provider.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { openDockerMachine } from "../../support/docker_machine.ts";
import {
  podman,
  podmanMissing,
  type PodmanService,
  startPodman,
} from "../../support/podman.ts";
import { startPrivateRegistry, USER } from "../../support/private_registry.ts";
import { declareContract } from "../../support/provider_contract.ts";
import { testProviderFaults } from "../../support/provider_faults.ts";
import {
  declareProviderTest,
  NEVER,
  type ProviderUnderTest,
} from "../../support/provider_machine.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

/** Selects the whole contract, with faults, which takes three minutes. */
const IS_FULL = Deno.env.get("TEST_PODMAN") === "full";

/** The sentences of the contract in which Podman could differ most, in a quarter of a minute. */
const SENTENCES: ReadonlySet<string> = new Set([
  "start() of a headful browser sets the requested screen size",
  "start() reveals a proxy's password to no other process",
  "exited reports the crash of a browser and its reason",
  "adopt() returns the browsers of a worker's earlier process, which respond and can be stopped",
  "sweep() ends the browsers that are not kept and returns their sessions",
  "logs() and stats() return output and resource use of the browser",
]);

const provider: ProviderUnderTest = {
  async open() {
    const service = await startPodman();
    const machine = await openDockerMachine({
      ...service,
      psArguments: "-eo pid,args",
    });
    return {
      ...machine,
      async [Symbol.asyncDispose]() {
        await machine[Symbol.asyncDispose]();
        await service[Symbol.asyncDispose]();
      },
    };
  },
  spec: browserSpec,
  skip: podmanMissing,
};

const sentences = new Set<string>();
declareContract((sentence, fn) => {
  sentences.add(sentence);
  if (!IS_FULL && !SENTENCES.has(sentence)) return;
  declareProviderTest(`podman: ${sentence}`, provider, fn);
}, provider);
for (const sentence of SENTENCES) assert.ok(sentences.has(sentence), sentence);
if (IS_FULL) testProviderFaults("podman", provider);

/** Opens the docker provider on a service of Podman, in a grid of its own by default. */
async function openHost(
  { socket }: PodmanService,
  dataDir: string,
  { gridId = crypto.randomUUID(), ...config }: Readonly<
    Record<string, string>
  > = {},
): Promise<BrowserHost> {
  return await dockerProvider.open(
    dockerProvider.configSchema.parse({
      pull: "never",
      docker_host: `unix://${socket}`,
      ...config,
    }),
    { gridId, workerId: "worker-1", dataDir },
  );
}

declareProviderTest(
  "podman: check() finds Chromium's sandbox and egress limits, and warns that its networks do not separate containers",
  provider,
  async () => {
    await using folder = await temporaryFolder();
    await using service = await startPodman();
    await using host = await openHost(service, folder.path);
    const checks = await host.check();
    assert.deepEqual(
      checks.map(({ name, status }) => [name, status]),
      [
        ["engine", "ok"],
        ["image", "ok"],
        ["network", "warn"],
        ["init", "ok"],
        ["limits", "ok"],
        ["sandbox", "ok"],
        ["egress", "ok"],
      ],
    );
    assert.match(checks[0]?.detail ?? "", /^Podman \d+\.\d+\.\d+ at /);
    assert.match(checks[2]?.detail ?? "", /reach each other/);
  },
);

declareProviderTest(
  "podman: a container has the default memory limit, no capability, and the project's system call filter",
  provider,
  async () => {
    await using folder = await temporaryFolder();
    await using service = await startPodman();
    await using host = await openHost(service, folder.path);
    try {
      const { details } = await host.start(browserSpec(), "one", NEVER);
      const { HostConfig } = await service.docker
        .getContainer(details.container_id ?? "").inspect();
      assert.deepEqual(
        [HostConfig.Memory, HostConfig.MemorySwap, HostConfig.PidsLimit],
        [4 * 2 ** 30, 4 * 2 ** 30, 2048],
      );
      assert.deepEqual(HostConfig.SecurityOpt, [
        "no-new-privileges",
        `seccomp=${folder.path}/docker-seccomp.json`,
      ]);
    } finally {
      await host.sweep(new Set());
    }
  },
);

declareProviderTest(
  "podman: a pull from a private registry succeeds with the pool's credentials, and fails without or with wrong ones",
  provider,
  async () => {
    await using folder = await temporaryFolder();
    for (const scheme of ["basic", "bearer"] as const) {
      await using registry = await startPrivateRegistry(scheme);
      await using service = await startPodman({ registry: registry.host });
      const pull = async (config: Readonly<Record<string, string>>) => {
        await using host = await openHost(service, folder.path, {
          image: registry.image,
          pull: "always",
          ...config,
        });
        await host.prepare?.(NEVER);
        await service.docker.getImage(registry.image).remove();
      };
      const { username: registry_username, password: registry_password } = USER;
      await pull({ registry_username, registry_password });
      await assert.rejects(pull({}), /; there are no credentials for registry/);
      await assert.rejects(
        pull({ registry_username, registry_password: "wrong" }),
        /; registry ".+" does not accept the credentials of the pool/,
      );
    }
  },
);

declareProviderTest(
  "podman: a browser outlives the service, and is adopted",
  provider,
  async () => {
    await using folder = await temporaryFolder();
    const gridId = crypto.randomUUID();
    {
      await using service = await startPodman();
      await using host = await openHost(service, folder.path, { gridId });
      await host.start(browserSpec(), "one", NEVER);
    }
    await using service = await startPodman();
    await using host = await openHost(service, folder.path, { gridId });
    const [browser] = await host.adopt();
    assert.equal(browser?.sessionId, "one");
    await browser.probe?.(NEVER);
    await browser.stop(0);
    assert.deepEqual(await service.listContainers(gridId), []);
  },
);

declareProviderTest(
  "podman: no container and no network of the tests is left",
  provider,
  async () => {
    assert.equal(await podman("ps", "--all", "--quiet"), "");
    await podman("network", "rm", "browsergrid");
  },
);
