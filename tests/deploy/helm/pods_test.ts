/**
 * The containers that the chart describes, run by the Docker engine: with their variables, arguments, user and
 * read-only files, probed and ended as a kubelet does.
 *
 * @module
 */
import assert from "node:assert/strict";
import { eventually } from "../../support/eventually.ts";
import { dockerMissing } from "../../support/docker.ts";
import { helmMissing, renderChart } from "../../support/helm/chart.ts";
import { ADMIN_KEY } from "../../support/helm/chart_values.ts";
import {
  listWorkloads,
  resolveVariables,
  type Workload,
} from "../../support/helm/pods.ts";
import {
  callDocker,
  inspectContainer,
  openProgramImage,
} from "../../support/program_image.ts";

const POOL = "browsers";

/** Name of the server's Service in the cluster. */
const SERVICE = "grid-browsergrid.grids.svc";

/** Returns the options of `docker run` and the arguments for a container of the chart. */
function toRun(
  { pod, container }: Workload,
  secrets: Readonly<Record<string, string>>,
): { readonly options: readonly string[]; readonly args: readonly string[] } {
  const { runAsUser, runAsGroup, fsGroup } = pod.securityContext;
  const variables = resolveVariables(container, secrets);
  const options = [
    ...["--user", `${runAsUser}:${runAsGroup}`, "--read-only"],
    ...["--group-add", `${fsGroup}`, "--cap-drop", "ALL"],
    ...["--security-opt", "no-new-privileges"],
    // A volume belongs to root, and to the group.
    ...container.volumeMounts.flatMap(({ mountPath }) => [
      "--tmpfs",
      `${mountPath}:gid=${fsGroup},mode=2770`,
    ]),
    ...Object.entries(variables).flatMap(([name, value]) => [
      "--env",
      `${name}=${value}`,
    ]),
  ];
  const args = container.args.map((arg) =>
    arg.replace(/\$\((\w+)\)/g, (_, name) => variables[name] ?? "")
  );
  return { options, args };
}

/** Ends a container as a kubelet does, and returns its exit code. */
async function end(id: string, { pod, container }: Workload): Promise<string> {
  const command = container.lifecycle?.preStop.exec.command ?? ["true"];
  await callDocker("exec", id, ...command);
  const seconds = String(pod.terminationGracePeriodSeconds);
  await callDocker("stop", "--time", seconds, id);
  return await inspectContainer(id, ".State.ExitCode");
}

const skip = dockerMissing ?? helmMissing;
if (skip !== undefined) {
  // deno-lint-ignore no-console -- the reason of a skipped test is its result
  console.log(`skipped: the pods of the chart: ${skip}`);
}

Deno.test({
  name:
    "the pods of the chart start, pass their probes, serve a pool and end in good order",
  ignore: skip !== undefined,
  async fn() {
    const { manifests } = await renderChart({
      secret: { adminKey: ADMIN_KEY },
      workers: [{ pool: POOL, key: "replaced" }],
    });
    const [server, worker] = listWorkloads(manifests);
    assert.ok(server && worker);
    await using image = await openProgramImage();
    await using network = await createNetwork();
    const join = ["--network", network.name];
    const { options, args } = toRun(server, { "admin-key": ADMIN_KEY });
    const serverId = await image.start([
      ...options,
      ...["--publish", "127.0.0.1::8765", ...join, "--network-alias", SERVICE],
    ], ...args);
    const { readinessProbe, livenessProbe } = server.container;
    const address = await callDocker("port", serverId, "8765/tcp");
    for (const probe of [readinessProbe, livenessProbe]) {
      await eventually(`${probe?.httpGet.path} succeeds`, async () => {
        const response = await fetch(
          `http://${address}${probe?.httpGet.path}`,
        );
        await response.body?.cancel();
        return response.ok;
      });
    }
    const program = (...command: readonly string[]) =>
      callDocker("exec", serverId, "browsergrid", ...command);
    // Without an engine a worker of a docker pool is not online for long.
    await program("pool", "create", "local", "--name", POOL);
    const key = await program(
      ...["key", "create", "workers", "--role", "worker", "--pool", POOL],
    );
    const run = toRun(worker, { "api-key": key });
    const workerId = await image.start([...run.options, ...join], ...run.args);
    await eventually("the worker is online", async () => {
      const list = await program("worker", "list", "--json");
      return list.includes('"of-metadata.name"') && list.includes('"online"');
    });
    assert.equal(await end(workerId, worker), "0");
    assert.equal(await end(serverId, server), "0");
  },
});

async function createNetwork(): Promise<
  AsyncDisposable & { readonly name: string }
> {
  const name = `browsergrid-test-${crypto.randomUUID().slice(0, 8)}`;
  await callDocker("network", "create", name);
  return {
    name,
    async [Symbol.asyncDispose]() {
      const ids = await callDocker("ps", "-aq", "--filter", `network=${name}`);
      for (const id of ids.split("\n").filter(Boolean)) {
        await callDocker("rm", "--force", "--volumes", id);
      }
      await callDocker("network", "rm", name);
    },
  };
}
