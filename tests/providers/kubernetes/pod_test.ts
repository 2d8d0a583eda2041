import assert from "node:assert/strict";
import { findOwner } from "../../../src/providers/kubernetes/pod/owner.ts";
import { kubernetes } from "../../../src/providers/kubernetes/provider.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { docker } from "../../support/docker.ts";
import { StatusError } from "../../support/kubernetes/objects.ts";
import {
  clusterTest,
  openClusterScene,
} from "../../support/kubernetes/scene.ts";
import {
  connectTo,
  NEVER,
  waitForNoResources,
} from "../../support/provider_machine.ts";

clusterTest(
  "a pod has every option of its pool, its session's limits, and no right in the cluster",
  async () => {
    await using test = await openClusterScene({
      node_selector: { pool: "browsers" },
      tolerations: [{
        key: "browsers",
        operator: "Exists",
        effect: "NoSchedule",
      }],
      labels: { team: "search", "browsergrid/grid": "other" },
      annotations: { "example.com/note": "kept" },
      service_account: "browsers",
      image_pull_secrets: ["registry"],
      seccomp: "localhost",
      user_namespaces: true,
    });
    const spec = browserSpec({ cpu: 0.5, memoryBytes: 700 * 2 ** 20 });
    const browser = await test.host.start(spec, "s", NEVER);
    const [pod] = test.cluster.store.list("pods");
    assert.ok(pod);
    assert.partialDeepStrictEqual(pod.metadata, {
      labels: {
        team: "search",
        "browsergrid/grid": test.machine.gridId,
        "browsergrid/worker": "worker-1",
        "browsergrid/session": "s",
        "app.kubernetes.io/component": "browser",
      },
      annotations: {
        "example.com/note": "kept",
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
        "karpenter.sh/do-not-disrupt": "true",
      },
    });
    const amounts = { cpu: "500m", memory: String(700 * 2 ** 20) };
    assert.partialDeepStrictEqual(pod.spec, {
      nodeSelector: { pool: "browsers" },
      tolerations: [{
        key: "browsers",
        operator: "Exists",
        effect: "NoSchedule",
      }],
      serviceAccountName: "browsers",
      imagePullSecrets: [{ name: "registry" }],
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      hostUsers: false,
      restartPolicy: "Never",
      activeDeadlineSeconds: 86_400,
      securityContext: {
        seccompProfile: {
          type: "Localhost",
          localhostProfile: "browsergrid.json",
        },
      },
      containers: [{
        resources: { requests: amounts, limits: amounts },
        securityContext: {
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
          runAsNonRoot: true,
          runAsUser: 1_000,
        },
      }],
      volumes: [{
        emptyDir: { medium: "Memory", sizeLimit: String(2 ** 30) },
      }],
    });
    await browser.stop(0);
  },
);

clusterTest(
  "values of variables and proxy passwords are only in a secret of the pod, which the cluster deletes with it",
  async () => {
    await using test = await openClusterScene();
    const browser = await test.host.start(
      browserSpec({
        environment: { TZ: "planted/Zone", PRICE: "$(HOME)$$" },
        proxy: {
          proxy_url: "http://127.0.0.1:9",
          proxy_username: "user",
          proxy_password: "planted-password",
        },
      }),
      "s",
      NEVER,
    );
    const [pod] = test.cluster.store.list("pods");
    const text = JSON.stringify(pod);
    assert.ok(
      !/planted/.test(text) && !text.includes(btoa("user:planted-password")),
    );
    const container = docker.getContainer(
      test.cluster.nodes.containerId(pod?.metadata.name ?? "") ?? "",
    );
    const { Config } = await container.inspect();
    assert.ok(Config.Env.includes("TZ=planted/Zone"));
    assert.ok(Config.Env.includes("PRICE=$(HOME)$$"));
    const [secret] = test.cluster.store.list("secrets");
    assert.equal(secret?.metadata.ownerReferences?.[0]?.uid, pod?.metadata.uid);
    await browser.stop(0);
    assert.deepEqual(test.cluster.store.list("secrets"), []);
    // Rights to read or delete secrets are not needed.
    const others = test.cluster.server.requests.filter((line) =>
      /\/secrets/.test(line) && !line.startsWith("POST")
    );
    assert.deepEqual(others, []);
  },
);

clusterTest(
  "a session with limited egress limits its own network in the pod, and runs its browser without rights",
  async () => {
    await using test = await openClusterScene();
    const egress = { mode: "none", allow: [], pool: "limited" } as const;
    const browser = await test.host.start(browserSpec({ egress }), "s", NEVER);
    {
      await using client = await connectTo(browser);
      const page = await client.newPage();
      await page.goto("http://192.0.2.1/").catch(() => {});
      assert.match(await page.content(), /limited/);
    }
    const lines = await test.machine.commandLines(browser);
    assert.match(lines, /chromium/);
    await browser.stop(0);
  },
);

clusterTest(
  "start() in an image that is not the project's rejects what only the project's supports",
  async () => {
    await using test = await openClusterScene({ image_kind: "other" });
    const egress = { mode: "none", allow: [], pool: "limited" } as const;
    await assert.rejects(
      test.host.start(browserSpec({ egress }), "s", NEVER),
      /Cannot start a browser in image ".*": the egress of work pool "limited" is none .* expected image_kind project/,
    );
    const proxy = { proxy_url: "http://p:1", proxy_username: "u" };
    await assert.rejects(
      test.host.start(browserSpec({ proxy }), "s", NEVER),
      /the proxy of this session has a user name/,
    );
    assert.deepEqual(test.cluster.server.requests, []);
  },
);

clusterTest(
  "start() without the right to watch pods fails in time and says so",
  async () => {
    await using test = await openClusterScene({ start_timeout_seconds: 1 });
    const status = new StatusError(403, "Forbidden", "pods: cannot watch");
    test.cluster.faults.fail(/^WATCH /, status, { times: 100 });
    await assert.rejects(
      test.host.start(browserSpec(), "s", NEVER),
      /did not start within 1 s: its pod cannot be watched: pods: cannot watch/,
    );
    await waitForNoResources(test.machine);
  },
);

Deno.test("the pod of a worker in the cluster owns its browsers' pods, unless they are in another namespace", () => {
  const variables = {
    POD_NAME: "worker-7",
    POD_UID: "uid-7",
    POD_NAMESPACE: "grids",
  };
  for (const [name, value] of Object.entries(variables)) {
    Deno.env.set(name, value);
  }
  try {
    const inside = {
      server: new URL("https://k"),
      tls: {},
      source: "",
      isInCluster: true,
    };
    assert.deepEqual(findOwner({ ...inside, namespace: "grids" }), {
      apiVersion: "v1",
      kind: "Pod",
      name: "worker-7",
      uid: "uid-7",
    });
    assert.equal(findOwner({ ...inside, namespace: "others" }), undefined);
    const outside = { ...inside, isInCluster: false, namespace: "grids" };
    assert.equal(findOwner(outside), undefined);
  } finally {
    for (const name of Object.keys(variables)) Deno.env.delete(name);
  }
});

Deno.test("the pod of the deploy command has the labels that the network policy selects", async () => {
  const command = await kubernetes.deployCommand(
    browserSpec(),
    kubernetes.configSchema.parse({}),
  );
  const [, selector = ""] = /matchLabels:\n((?: {6}\S.*\n)+)/.exec(
    await Deno.readTextFile("deploy/kubernetes/network-policy.yaml"),
  ) ?? [];
  const labels = selector.trim().split("\n").map((line) =>
    line.trim().split(": ")
  );
  assert.equal(labels.length, 2);
  for (const [name, value] of labels) {
    assert.ok(command.includes(`"${name}":"${value}"`), `${name}: ${value}`);
  }
});
