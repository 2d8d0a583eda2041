import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { browserSpec } from "../../support/browser_spec.ts";
import { parsePath } from "../../support/kubernetes/paths.ts";
import {
  clusterTest,
  openClusterScene,
} from "../../support/kubernetes/scene.ts";
import { NEVER } from "../../support/provider_machine.ts";

const MANIFEST = new URL(
  "../../../deploy/kubernetes/rbac.yaml",
  import.meta.url,
);

const roleSchema = z.object({
  kind: z.literal("Role"),
  metadata: z.object({ name: z.string() }),
  rules: z.array(z.object({
    resources: z.array(z.string()),
    verbs: z.array(z.string()),
  })),
});

/** Returns the rights of a role, such as `list pods`. */
async function readRights(name: string): Promise<ReadonlySet<string>> {
  const documents = parseAllDocuments(await Deno.readTextFile(MANIFEST));
  const roles = documents.flatMap((document) =>
    roleSchema.safeParse(document.toJS()).data ?? []
  );
  const role = roles.find(({ metadata }) => metadata.name === name);
  assert.ok(role);
  return new Set(
    role.rules.flatMap(({ resources, verbs }) =>
      resources.flatMap((resource) =>
        verbs.map((verb) => `${verb} ${resource}`)
      )
    ),
  );
}

/** Returns the right that a request needs; undefined if every account has it. */
function toRight(line: string): string | undefined {
  const [method = "", path = ""] = line.split(" ");
  if (path.startsWith("/apis/metrics.k8s.io/")) return "get pods";
  const found = parsePath(path);
  if (!found) return undefined;
  const verb = {
    POST: "create",
    DELETE: "delete",
    WATCH: "watch",
    GET: found.name === undefined ? "list" : "get",
  }[method];
  const resource = [found.resource, found.sub].filter(Boolean).join("/");
  return `${verb} ${resource}`;
}

clusterTest(
  "a worker needs only the rights of its role, and each of them",
  async () => {
    const rights = await readRights("browsergrid-worker");
    await using test = await openClusterScene({ reach: "port_forward" });
    test.cluster.faults.fail(/^POST .*\/pods$/, "lost");
    const environment = { TZ: "UTC" };
    const browser = await test.host.start(
      browserSpec({ environment }),
      "s",
      NEVER,
    );
    await browser.logs?.(10);
    await browser.stats?.();
    await test.host.sweep(new Set());
    const slow = await test.machine.openHost(
      { gridId: test.machine.gridId, workerId: "worker-2" },
      { schedule_timeout_seconds: 1 },
    );
    test.cluster.nodes.fate = { unschedulable: "no node" };
    await assert.rejects(slow.start(browserSpec(), "s", NEVER), /no node/);
    const used = new Set(
      test.cluster.server.requests.flatMap((line) => toRight(line) ?? []),
    );
    // Newer API servers ask for it in addition.
    used.add("create pods/portforward");
    assert.deepEqual([...used].sort(), [...rights].sort());
  },
);
