/**
 * The compose file of `deploy/compose/`, by the documentation's commands, with Debian's docker-compose and Prometheus.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { SessionWire } from "../../src/apps/sessions/schemas.ts";
import { createClient, type GridClient } from "../../src/client/client.ts";
import { cdpClient } from "../support/cdp_client.ts";
import { ROOT } from "../support/doc_snippets.ts";
import { docker, dockerMissing, listContainers } from "../support/docker.ts";
import { eventually, gone } from "../support/eventually.ts";
import { freePort } from "../support/free_port.ts";
import {
  callDocker,
  inspectContainer,
  openProgramImage,
  runCommand,
} from "../support/program_image.ts";
import { prometheusMissing } from "../support/prometheus.ts";
import { openShell, type Shell } from "../support/shell.ts";
import { snippet, succeeds } from "./docs_scene.ts";

const composeMissing = await runCommand("docker-compose", ["--version"])
  .then(() => undefined, () => "there is no docker-compose here");

const missing = dockerMissing ?? prometheusMissing ?? composeMissing;

if (missing !== undefined) {
  // deno-lint-ignore no-console -- the reason of a skipped test is its result
  console.log(`skipped: the compose file: ${missing}`);
}

/** As the image that the compose file names, which is in a registry. */
const PROMETHEUS_DOCKERFILE = `FROM debian:bookworm-slim
COPY prometheus /bin/
RUN install --directory --owner 65534 --group 65534 /prometheus
USER 65534
VOLUME /prometheus
ENTRYPOINT ["/bin/prometheus", "--storage.tsdb.path=/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml"]
`;

/** The folder of the compose file, and a shell in it for its commands. Disposal ends what they started. */
interface Deployment extends AsyncDisposable {
  readonly project: string;
  readonly shell: Shell;
  readonly url: string;
  readonly prometheus: string;
  /** Returns the id of the container of a service. */
  container(service: string): Promise<string>;
}

async function openDeployment(image: string): Promise<Deployment> {
  await using stack = new AsyncDisposableStack();
  const project = `browsergrid-test-${crypto.randomUUID().slice(0, 8)}`;
  const prometheusImage = `${project}:prometheus`;
  const [port, prometheusPort] = [freePort(), freePort()];
  const shell = stack.use(
    await openShell({
      COMPOSE_PROJECT_NAME: project,
      BROWSERGRID_IMAGE: image,
      BROWSERGRID_PORT: `${port}`,
      BROWSERGRID_NETWORK: `${project}-browsers`,
      BROWSERGRID_DRAIN_SECONDS: "1",
      PROMETHEUS_IMAGE: prometheusImage,
      PROMETHEUS_PORT: `${prometheusPort}`,
    }),
  );
  const { folder } = shell;
  await buildPrometheus(join(folder, "image"), prometheusImage);
  stack.defer(async () => void await callDocker("rmi", prometheusImage));
  for (const part of ["deploy/compose", "docs/prometheus"]) {
    await copyFolder(join(ROOT, part), join(folder, part));
  }
  await quickenScrapes(join(folder, "deploy/compose"));
  stack.defer(async () =>
    void await shell.run("cd deploy/compose; docker-compose down --volumes")
  );
  const owned = stack.move();
  return {
    project,
    shell,
    url: `http://127.0.0.1:${port}`,
    prometheus: `http://127.0.0.1:${prometheusPort}`,
    container: async (service) =>
      (await listByLabel("ps", project, `service=${service}`))[0] ?? "",
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function buildPrometheus(folder: string, tag: string): Promise<void> {
  await Deno.mkdir(folder);
  await Deno.copyFile("/usr/bin/prometheus", join(folder, "prometheus"));
  await Deno.writeTextFile(join(folder, "Dockerfile"), PROMETHEUS_DOCKERFILE);
  await callDocker("build", "--quiet", "--tag", tag, folder);
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) {
    await Deno.copyFile(join(from, name), join(to, name));
    // Containers read them as other users.
    await Deno.chmod(join(to, name), 0o644);
  }
}

/** The first scrape is within one interval. */
async function quickenScrapes(folder: string): Promise<void> {
  const file = join(folder, "prometheus.yaml");
  const text = await Deno.readTextFile(file);
  const quick = text.replace("scrape_interval: 15s", "scrape_interval: 1s");
  assert.notEqual(quick, text);
  await Deno.writeTextFile(file, quick);
}

/** Lists containers, networks or volumes of a compose project. */
async function listByLabel(
  kind: "ps" | "network" | "volume",
  project: string,
  ...labels: readonly string[]
): Promise<readonly string[]> {
  const command = kind === "ps" ? ["ps", "--all"] : [kind, "ls"];
  const filters = [`project=${project}`, ...labels].flatMap((label) => [
    "--filter",
    `label=com.docker.compose.${label}`,
  ]);
  const out = await callDocker(...command, "--quiet", ...filters);
  return out.split("\n").filter(Boolean);
}

/** Returns lines for Debian's command, which is version 1. */
function compose(lines: string): string {
  return lines.replaceAll("docker compose", "docker-compose");
}

async function checkPrometheus(
  { prometheus }: Deployment,
): Promise<void> {
  const read = async (path: string) =>
    (await (await fetch(`${prometheus}/api/v1/${path}`)).json()).data;
  const query = `query?query=${encodeURIComponent('up{job="browsergrid"}')}`;
  await eventually("Prometheus scrapes the server", async () => {
    const { result: [up] } = await read(query);
    return up?.value[1] === "1";
  });
  const { groups: [group] } = await read("rules");
  assert.equal(group.name, "browsergrid");
  assert.ok(group.rules.length > 5);
}

/** The server has no access to the engine, and no part but the worker has. */
async function checkTrust(deployment: Deployment): Promise<void> {
  for (const service of ["server", "setup", "worker", "prometheus"]) {
    const id = await deployment.container(service);
    const mounts = await inspectContainer(id, "json .Mounts");
    assert.equal(/docker\.sock/.test(mounts), service === "worker", service);
    const config = await inspectContainer(id, "json .Config.Env");
    const hasKey = /BROWSERGRID_API_KEY/.test(config);
    assert.equal(hasKey, service === "server" || service === "setup", service);
  }
}

async function evaluate(
  client: GridClient,
  id: string,
  expression: string,
): Promise<unknown> {
  const [target] = await client.listSessionTargets(id);
  await using page = await cdpClient(String(target?.["webSocketDebuggerUrl"]));
  return await page.evaluate(expression);
}

/** Drives a new browser. */
async function drive(client: GridClient): Promise<SessionWire> {
  const session = await client.createSession({}, { waitSeconds: 60 });
  assert.equal(session.status, "running", session.status_reason ?? "");
  assert.equal(await evaluate(client, session.id, "globalThis.kept = 42"), 42);
  return session;
}

/** A worker's next container over the same volume adopts the browser of one that was killed. */
async function checkAdoption(
  { container }: Deployment,
  client: GridClient,
  id: string,
): Promise<void> {
  const worker = await container("worker");
  await callDocker("kill", worker);
  await callDocker("start", worker);
  await eventually(
    "the browser is reached again",
    async () => await evaluate(client, id, "globalThis.kept") === 42,
  );
}

Deno.test({
  name:
    "the documentation's compose file starts a grid whose worker alone has the engine, and leaves nothing behind",
  ignore: missing !== undefined,
  async fn() {
    await using image = await openProgramImage();
    await using deployment = await openDeployment(image.tag);
    const { shell, url, project } = deployment;
    await succeeds(shell, compose(snippet("compose")));
    const [, apiKey = ""] = /API_KEY=(\w{64})$/m.exec(
      await succeeds(shell, "cat deploy/compose/.env"),
    ) ?? [];
    const client = createClient({ apiUrl: url, apiKey });
    await eventually("the worker joins", async () => {
      const { items: [worker] } = await client.listWorkers();
      return worker?.status === "online";
    });
    const [session] = await Promise.all([
      drive(client),
      checkPrometheus(deployment),
      checkTrust(deployment),
    ]);
    const browser = docker.getContainer(session.container_id ?? "");
    const { Config } = await browser.inspect();
    const gridId = Config.Labels["browsergrid.grid_id"] ?? "";
    await checkAdoption(deployment, client, session.id);
    // Starting it again changes nothing.
    await succeeds(shell, "cd deploy/compose; docker-compose up --detach");
    const { items: keys } = await client.listKeys();
    assert.deepEqual(keys.map(({ role }) => role).sort(), [
      "metrics",
      "worker",
    ]);
    assert.equal((await listContainers(gridId)).length, 1);
    await succeeds(
      shell,
      `cd deploy/compose\n${compose(snippet("compose_down"))}`,
    );
    for (const kind of ["ps", "network", "volume"] as const) {
      assert.deepEqual(await listByLabel(kind, project), [], kind);
    }
    await gone("browser containers", () => listContainers(gridId));
  },
});
