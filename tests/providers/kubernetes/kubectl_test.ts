import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { kubernetes } from "../../../src/providers/kubernetes/provider.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { dockerMissing } from "../../support/docker.ts";
import {
  kubectlMissing,
  writeKubeconfig,
} from "../../support/kubernetes/kubectl.ts";
import { startCluster } from "../../support/kubernetes/cluster.ts";
import { openClusterMachine } from "../../support/kubernetes/machine.ts";
import {
  declareProviderTest,
  NEVER,
  waitUntil,
} from "../../support/provider_machine.ts";
import { snippet } from "../../e2e/docs_scene.ts";

/** Turns off the check of the client, for which it reads 10 MB of schemas; the server checks every object. */
const UNCHECKED = "kubectl apply --validate=false";

const FOLDER = fileURLToPath(new URL("../../../", import.meta.url));

function kubectlTest(title: string, fn: () => Promise<void>): void {
  const skip = kubectlMissing ?? dockerMissing;
  declareProviderTest(title, {
    open: openClusterMachine,
    spec: browserSpec,
    skip,
  }, fn);
}

kubectlTest(
  "kubectl shows, describes, logs and deletes the pod of a session, without its secrets",
  async () => {
    await using machine = await openClusterMachine();
    const { cluster, gridId } = machine;
    await using kubeconfig = await writeKubeconfig(cluster);
    const host = await machine.openHost({ gridId, workerId: "worker-1" });
    const browser = await host.start(
      browserSpec({ environment: { TOKEN: "planted-secret-3" } }),
      "session-1",
      NEVER,
    );
    const { pod = "" } = browser.details;
    const table = await kubeconfig.run("kubectl get pods");
    assert.match(table, /NAME +READY +STATUS/);
    assert.match(table, new RegExp(`${pod} +1/1 +Running`));
    const byLabel = await kubeconfig.run(
      "kubectl get pods -l browsergrid/session=session-1 -o name",
    );
    assert.equal(byLabel.trim(), `pod/${pod}`);
    const yaml = await kubeconfig.run(`kubectl get pod ${pod} -o yaml`);
    assert.match(yaml, /restartPolicy: Never/);
    assert.ok(!yaml.includes("planted-secret-3"));
    const description = await kubeconfig.run(`kubectl describe pod ${pod}`);
    assert.match(description, /Controlled By|Node: +node-1/);
    assert.match(description, /TOKEN: +<set to the key 'TOKEN' in secret/);
    assert.match(
      await kubeconfig.run(`kubectl logs ${pod} --tail=50`),
      /DevTools listening on/,
    );
    assert.match(await kubeconfig.run(`kubectl delete pod ${pod}`), /deleted/);
    assert.deepEqual(await browser.exited, {
      reason: "crashed",
      detail: "the pod was deleted, exit code 0",
    });
    await browser.stop(0);
    assert.deepEqual(await machine.listResources(), []);
  },
);

kubectlTest(
  "the documentation's manifests and the deploy command of a pool are applied by kubectl",
  async () => {
    await using cluster = await startCluster();
    await using kubeconfig = await writeKubeconfig(cluster);
    const lines = snippet("kubernetes").split("\n").filter((line) =>
      line.startsWith("kubectl")
    );
    const policy =
      "kubectl apply --namespace browsergrid --filename deploy/kubernetes/network-policy.yaml";
    for (const line of [...lines, policy]) {
      await kubeconfig.run(`cd ${FOLDER} && ${toUnchecked(line)}`);
    }
    const roles = await kubeconfig.run(
      "kubectl get roles --namespace browsergrid -o name",
    );
    assert.deepEqual(roles.trim().split("\n"), [
      "role.rbac.authorization.k8s.io/browsergrid-worker",
      "role.rbac.authorization.k8s.io/browsergrid-server",
    ]);
    const command = await kubernetes.deployCommand(
      browserSpec(),
      kubernetes.configSchema.parse({ namespace: "browsergrid" }),
    );
    await kubeconfig.run(
      command.replace(/kubectl (.*) apply/, `${UNCHECKED} $1`),
    );
    await waitUntil(() =>
      Promise.resolve(
        cluster.store.find("pods", "browsergrid", "browsergrid-session")?.status
          .phase === "Running",
      )
    );
  },
);

/** Returns a line whose objects are applied as JSON: "kubectl create" sends the protocol buffers that no test server reads. */
function toUnchecked(line: string): string {
  return line.startsWith("kubectl create")
    ? `${line} --dry-run=client -o json | ${UNCHECKED} --filename -`
    : line.replace("kubectl apply", UNCHECKED);
}
