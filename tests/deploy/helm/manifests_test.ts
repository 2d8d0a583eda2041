import assert from "node:assert/strict";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import {
  createMachineLabels,
  createSessionLabels,
} from "../../../src/providers/kubernetes/pod/labels.ts";
import { pressureSchema } from "../../../src/apps/workerpool/schemas.ts";
import { CHART, chartTest, renderChart } from "../../support/helm/chart.ts";
import { ADMIN_KEY, RELEASES } from "../../support/helm/chart_values.ts";
import {
  listUnknownMembers,
  validateManifests,
} from "../../support/helm/check_manifests.ts";
import { startObjectServer } from "../../support/helm/object_server.ts";
import { findManifest, listWorkloads } from "../../support/helm/pods.ts";
import { runToEnd } from "../../support/run_to_end.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";
import { testWith } from "../../support/test_with.ts";

const render = (release: keyof typeof RELEASES) =>
  renderChart(RELEASES[release]);

chartTest(
  "every release of the chart matches the published schemas",
  async () => {
    const all = await Promise.all(Object.values(RELEASES).map(renderChart));
    const manifests = all.flatMap(({ manifests }) => manifests);
    validateManifests(manifests);
    assert.equal(await listUnknownMembers(manifests), "");
    for (const { manifests, notes } of all) {
      const names = manifests.map(({ kind, metadata }) =>
        `${kind}/${metadata.name}`
      );
      assert.deepEqual([...new Set(names)], names);
      assert.ok(
        manifests.every(({ metadata }) => metadata.namespace === "grids"),
      );
      assert.ok(!notes.includes("planted"));
    }
  },
);

chartTest("the schemas reject a wrong and an unknown member", async () => {
  const { manifests } = await render("only a key");
  const server = findManifest(manifests, "StatefulSet");
  const change = (spec: object) => [{ ...server, spec }];
  assert.throws(
    () => validateManifests(change({ replicas: "one" })),
    /StatefulSet grid-browsergrid: .*replicas must be integer/,
  );
  const unknown = change({ ...Object(server.spec), replica: 1 });
  assert.match(await listUnknownMembers(unknown), /'"replica"' does not exist/);
});

await testWith(
  ["go", "kubectl"],
  "kubectl creates every object of the chart",
  async () => {
    for (const release of Object.values(RELEASES)) {
      const { manifests, text } = await renderChart(release);
      await using server = startObjectServer(
        manifests,
        (manifest) => validateManifests([manifest]),
      );
      await using folder = await temporaryFolder();
      const file = join(folder.path, "grid.yaml");
      await Deno.writeTextFile(file, text);
      const create = ["create", "--validate=false", "--filename", file];
      const { code, error } = await runToEnd("kubectl", [
        ...["--server", server.url, ...create],
      ], { env: { HOME: folder.path, KUBECONFIG: "" } });
      assert.deepEqual([error, code], ["", 0]);
      assert.deepEqual(server.created, manifests);
    }
  },
);

chartTest(
  "pods run without privileges, and restart for a changed key",
  async () => {
    for (const release of Object.values(RELEASES)) {
      const { manifests } = await renderChart(release);
      for (const { pod, container, name } of listWorkloads(manifests)) {
        assert.partialDeepStrictEqual(pod.securityContext, {
          runAsNonRoot: true,
          runAsUser: 10_001,
          seccompProfile: { type: "RuntimeDefault" },
        }, name);
        assert.deepEqual(container.securityContext, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          privileged: false,
          capabilities: { drop: ["ALL"] },
        }, name);
        // Otherwise the Service sets BROWSERGRID_PORT.
        assert.ok(!pod.enableServiceLinks, name);
      }
    }
    const checksum = async (adminKey: string) =>
      JSON.stringify((await renderChart({ secret: { adminKey } })).manifests)
        .match(/"checksum\/secrets":"\w{64}"/)?.[0];
    assert.ok(await checksum(ADMIN_KEY));
    assert.notEqual(await checksum(ADMIN_KEY), await checksum(`${ADMIN_KEY}x`));
  },
);

chartTest("a server over a file is one pod with a volume", async () => {
  const { manifests } = await render("only a key");
  const { spec } = findManifest(manifests, "StatefulSet");
  assert.partialDeepStrictEqual(spec, {
    replicas: 1,
    serviceName: "grid-browsergrid-headless",
    volumeClaimTemplates: [{
      metadata: { name: "data" },
      spec: { resources: { requests: { storage: "10Gi" } } },
    }],
  });
  const own = await render("a Secret and a claim of the operator's");
  const pod = listWorkloads(own.manifests)[0]?.pod;
  assert.partialDeepStrictEqual(pod?.volumes, [
    {},
    { name: "data", persistentVolumeClaim: { claimName: "data" } },
  ]);
  assert.ok(!own.manifests.some(({ kind }) => kind === "Secret"));
});

chartTest(
  "servers over libSQL are replaced one after another, and drained one at a time",
  async () => {
    const { manifests } = await render("three servers over libSQL");
    const { spec } = findManifest(manifests, "Deployment", "grid-browsergrid");
    assert.partialDeepStrictEqual(spec, {
      replicas: 3,
      strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    });
    assert.partialDeepStrictEqual(
      findManifest(manifests, "PodDisruptionBudget", "grid-browsergrid-server"),
      { spec: { maxUnavailable: 1 } },
    );
    const one = await render("ingress, monitor and autoscaling");
    assert.ok(
      one.manifests.filter(({ kind }) => kind === "PodDisruptionBudget")
        .every(({ metadata }) => metadata.name !== "grid-browsergrid-server"),
    );
  },
);

chartTest(
  "a worker has more time to end than to drain, and no autoscaler without drain",
  async () => {
    const { manifests } = await render("ingress, monitor and autoscaling");
    const [, worker] = listWorkloads(manifests);
    assert.equal(worker?.pod.terminationGracePeriodSeconds, 630);
    assert.ok(worker.container.args.includes("--drain-timeout=600"));
    const name = "grid-browsergrid-worker-browsers";
    const deployment = findManifest(manifests, "Deployment", name);
    assert.ok(!("replicas" in Object(deployment.spec)));
    const scaled = findManifest(manifests, "ScaledObject", name);
    const { scaleTargetRef, triggers, ...rest } = Object(scaled.spec);
    assert.equal(scaleTargetRef.name, name);
    assert.equal(rest.minReplicaCount, 0);
    assert.equal(
      triggers[0].metadata.url,
      "http://grid-browsergrid.grids.svc:8765/v1/workerpool/pools/browsers/pressure",
    );
    assert.ok(triggers[0].metadata.valueLocation in pressureSchema.shape);
    assert.ok(
      !manifests.some(({ kind }) => kind === "HorizontalPodAutoscaler"),
    );
  },
);

chartTest(
  "the Ingress keeps WebSockets open for an hour, and names the public URL",
  async () => {
    const { manifests } = await render("ingress, monitor and autoscaling");
    const { metadata } = findManifest(manifests, "Ingress");
    const prefix = "nginx.ingress.kubernetes.io/proxy";
    assert.partialDeepStrictEqual(metadata.annotations, {
      [`${prefix}-read-timeout`]: "3600",
      [`${prefix}-send-timeout`]: "3600",
    });
    const env = listWorkloads(manifests)[0]?.container.env;
    assert.deepEqual(
      env?.find(({ name }) => name === "BROWSERGRID_PUBLIC_URL")?.value,
      "https://grid.example",
    );
  },
);

chartTest(
  "selectors of Services, policies and budgets match the pods that they are for",
  async () => {
    const { manifests } = await render("three servers over libSQL");
    const workloads = listWorkloads(manifests);
    for (const { kind, metadata, spec } of manifests) {
      const { selector, podSelector } = Object(spec);
      const labels = kind === "Service"
        ? selector
        : (podSelector ?? selector)?.matchLabels;
      if (labels === undefined || metadata.name.endsWith("-browsers")) {
        if (kind === "NetworkPolicy" || labels === undefined) continue;
      }
      const isMatch = (pod: Readonly<Record<string, string>>) =>
        Object.entries(labels).every(([name, value]) => pod[name] === value);
      const found = workloads.filter(({ labels }) => isMatch(labels));
      assert.ok(found.length > 0, `${kind} ${metadata.name}`);
      if (["Deployment", "PodDisruptionBudget"].includes(kind)) {
        assert.equal(found.length, 1, `${kind} ${metadata.name}`);
      }
    }
  },
);

chartTest(
  "rights and network policy are those of deploy/kubernetes",
  async () => {
    const { manifests } = await render("ingress, monitor and autoscaling");
    const folder = join(CHART, "../../kubernetes");
    const text = await Deno.readTextFile(join(folder, "rbac.yaml"));
    for (const document of parseAllDocuments(text)) {
      const { kind, metadata, rules } = document.toJS();
      if (kind !== "Role") continue;
      const component = metadata.name.replace("browsergrid-", "");
      const role = findManifest(
        manifests,
        "Role",
        `grid-browsergrid-${component}`,
      );
      assert.deepEqual(role.rules, rules);
    }
    const policy = parse(
      await Deno.readTextFile(join(folder, "network-policy.yaml")),
    );
    const own = findManifest(
      manifests,
      "NetworkPolicy",
      "grid-browsergrid-browsers",
    );
    assert.deepEqual(own.spec, policy.spec);
    const none = await render("a Secret and a claim of the operator's");
    assert.ok(!none.manifests.some(({ kind }) => kind === "Role"));
  },
);

chartTest(
  "a pod mounts the token of its service account only if it starts pods",
  async () => {
    const tokens = async (release: keyof typeof RELEASES) =>
      listWorkloads((await render(release)).manifests)
        .map(({ pod }) => pod.automountServiceAccountToken);
    assert.deepEqual(await tokens("ingress, monitor and autoscaling"), [
      true,
      true,
    ]);
    assert.deepEqual(await tokens("three servers over libSQL"), [
      false,
      true,
      true,
    ]);
    assert.deepEqual(await tokens("a Secret and a claim of the operator's"), [
      false,
    ]);
  },
);

chartTest(
  "the policies are for the pods of the provider kubernetes, too",
  async () => {
    const { manifests } = await render("ingress, monitor and autoscaling");
    const policy = (name: string) =>
      Object(
        findManifest(manifests, "NetworkPolicy", `grid-browsergrid-${name}`)
          .spec,
      );
    const session = createSessionLabels({
      gridId: "grid",
      workerId: "worker",
      dataDir: "",
    }, "session");
    assert.partialDeepStrictEqual(
      session,
      policy("browsers").podSelector.matchLabels,
    );
    const machine = createMachineLabels(
      { gridId: "grid", poolId: "pool" },
      "worker",
    );
    const [{ from: peers }] = policy("server").ingress;
    assert.partialDeepStrictEqual(
      machine,
      peers.at(-1).podSelector.matchLabels,
    );
    const [{ from: workers }] = policy("browsers").ingress;
    assert.partialDeepStrictEqual(
      machine,
      workers[0].podSelector.matchLabels,
    );
  },
);
