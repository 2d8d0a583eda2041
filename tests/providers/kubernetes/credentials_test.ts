import assert from "node:assert/strict";
import { join } from "node:path";
import { openHost } from "../../support/kubernetes/open_host.ts";
import { readServiceAccount } from "../../../src/providers/kubernetes/api/find_cluster.ts";
import { startCluster } from "../../support/kubernetes/cluster.ts";
import { writeKubeconfig } from "../../support/kubernetes/kubectl.ts";
import { NEVER } from "../../support/provider_machine.ts";

async function ping(config: Readonly<Record<string, unknown>>): Promise<void> {
  await using opened = await openHost(config);
  await opened.host.ping?.(NEVER);
}

Deno.test("a kubeconfig's context, authority, token and namespace are used", async () => {
  await using cluster = await startCluster();
  await using file = await writeKubeconfig(cluster);
  await using opened = await openHost({ kubeconfig: file.path });
  const [api, access] = await opened.host.check();
  assert.match(
    api?.detail ?? "",
    /^Kubernetes v1\.32.* by the context "test" of \//,
  );
  assert.match(access?.detail ?? "", /in namespace "browsers"/);
});

Deno.test("a certificate that no known authority has signed is rejected, unless the kubeconfig accepts any", async () => {
  await using cluster = await startCluster();
  {
    await using file = await writeKubeconfig(cluster, { cluster: {} });
    await assert.rejects(ping({ kubeconfig: file.path }), /certificate/i);
  }
  await using file = await writeKubeconfig(cluster, {
    cluster: { "insecure-skip-tls-verify": true },
  });
  await ping({ kubeconfig: file.path });
});

Deno.test("a token file is read again after the server has rejected its token", async () => {
  await using cluster = await startCluster();
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-token-" });
  const tokenFile = join(folder, "token");
  await Deno.writeTextFile(tokenFile, "first\n");
  cluster.faults.tokens.add("first");
  await using file = await writeKubeconfig(cluster, { user: { tokenFile } });
  await using opened = await openHost({ kubeconfig: file.path });
  const { host } = opened;
  await host.ping?.(NEVER);
  cluster.faults.tokens.delete("first");
  cluster.faults.tokens.add("second");
  await Deno.writeTextFile(tokenFile, "second\n");
  await host.ping?.(NEVER);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a kubeconfig that starts programs, names no context or is none is rejected with the reason", async () => {
  await using cluster = await startCluster();
  await using plugin = await writeKubeconfig(cluster, {
    user: { exec: { command: "aws" }, token: "planted-token-1" },
  });
  await assert.rejects(ping({ kubeconfig: plugin.path }), (error: unknown) => {
    assert.match(
      String(error),
      /Cannot use kubeconfig "\/.*": user "u" has an exec plugin, which is not supported, expected a token or a client certificate/,
    );
    assert.ok(!Deno.inspect(error, { depth: 9 }).includes("planted-token-1"));
    return true;
  });
  await assert.rejects(
    ping({ kubeconfig: plugin.path, context: "prod" }),
    /it has no context "prod", expected one of: test$/,
  );
  await Deno.writeTextFile(plugin.path, "token: [planted-token-2\n");
  await assert.rejects(ping({ kubeconfig: plugin.path }), (error: unknown) => {
    assert.match(String(error), /it is not YAML$/);
    assert.ok(!Deno.inspect(error, { depth: 9 }).includes("planted-token-2"));
    return true;
  });
  await assert.rejects(
    ping({ kubeconfig: "/does/not/exist" }),
    /Cannot use kubeconfig "\/does\/not\/exist": No such file/,
  );
});

Deno.test("a kubeconfig, and the files that it names, are read only if they are regular files", async () => {
  await using cluster = await startCluster();
  await assert.rejects(
    ping({ kubeconfig: "/dev/zero" }),
    /Cannot use kubeconfig "\/dev\/zero": it is no regular file$/,
  );
  await using file = await writeKubeconfig(cluster, {
    cluster: { "certificate-authority": "/dev/zero" },
  });
  await assert.rejects(
    ping({ kubeconfig: file.path }),
    /Cannot use kubeconfig ".*": cannot read "\/dev\/zero": it is no regular/,
  );
  await using other = await writeKubeconfig(cluster, {
    user: { tokenFile: "/dev/zero" },
  });
  await assert.rejects(
    ping({ kubeconfig: other.path }),
    /Cannot read the token "\/dev\/zero": it is no regular file, expected/,
  );
});

Deno.test("a worker in the cluster uses the service account of its pod, whose token is read from its file", async () => {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-account-" });
  const write = (name: string, text: string) =>
    Deno.writeTextFile(join(folder, name), text);
  Deno.env.set("KUBERNETES_SERVICE_HOST", "fd00::1");
  Deno.env.set("KUBERNETES_SERVICE_PORT", "6443");
  try {
    assert.equal(await readServiceAccount(folder), undefined);
    await write("ca.crt", "certificate");
    await write("namespace", "grids\n");
    await write("token", "first\n");
    const cluster = await readServiceAccount(folder);
    assert.equal(cluster?.server.href, "https://[fd00::1]:6443/");
    assert.equal(cluster?.namespace, "grids");
    assert.ok(cluster?.isInCluster);
    assert.equal(await cluster?.token?.read(), "first");
    await write("token", "second");
    assert.equal(await cluster?.token?.read(), "first");
    assert.equal(
      await cluster?.token?.read({ isRejected: true }),
      "second",
    );
  } finally {
    Deno.env.delete("KUBERNETES_SERVICE_HOST");
    Deno.env.delete("KUBERNETES_SERVICE_PORT");
    await Deno.remove(folder, { recursive: true });
  }
});
