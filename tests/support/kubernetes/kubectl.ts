import { join } from "node:path";
import { startTlsFront } from "../tls_front.ts";
import type { TestCluster } from "./cluster.ts";

/** Reason for which tests with the real kubectl cannot run here; undefined if they can. */
export const kubectlMissing: string | undefined = await new Deno.Command(
  "kubectl",
  { args: ["version", "--client"], stdout: "null", stderr: "null" },
).output().then(() => undefined, () => "there is no kubectl");

/** A kubeconfig of a cluster, in a folder of its own. */
export interface Kubeconfig extends AsyncDisposable {
  readonly path: string;
  /** Runs a line of shell with it, and returns the output. @throws {Error} With the output, if it fails. */
  run(line: string): Promise<string>;
}

/** Writes the kubeconfig of a cluster, which is then reached over TLS: kubectl sends no token without it. */
export async function writeKubeconfig(
  { url, token }: Pick<TestCluster, "url" | "token">,
  { cluster, user = { token } }: {
    /** Members in place of the certificate of the server. */
    readonly cluster?: Readonly<Record<string, unknown>>;
    readonly user?: Readonly<Record<string, unknown>>;
  } = {},
): Promise<Kubeconfig> {
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-kubectl-" });
  const front = await startTlsFront(url);
  const tls = cluster ?? { "certificate-authority": front.certificate };
  const path = join(folder, "config");
  // Every JSON is YAML.
  await Deno.writeTextFile(
    path,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "test",
      clusters: [{ name: "c", cluster: { server: front.url, ...tls } }],
      users: [{ name: "u", user }],
      contexts: [{
        name: "test",
        context: { cluster: "c", user: "u", namespace: "browsers" },
      }],
    }),
  );
  return {
    path,
    async run(line) {
      const { success, stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", line],
        // Its cache of the server's resources.
        env: { KUBECONFIG: path, HOME: folder },
      }).output();
      const text = new TextDecoder().decode(stdout);
      if (success) return text;
      throw new Error(`${line}: ${new TextDecoder().decode(stderr)}${text}`);
    },
    async [Symbol.asyncDispose]() {
      await Deno.remove(folder, { recursive: true });
      await front[Symbol.asyncDispose]();
    },
  };
}
