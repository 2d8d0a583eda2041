/** Documents by which kubectl finds the resources of the API. */
const VERBS = ["create", "delete", "get", "list", "patch", "watch"];

/** Version of the API that the server speaks. */
const VERSION = {
  major: "1",
  minor: "32",
  gitVersion: "v1.32.0-contract",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "2025-01-01T00:00:00Z",
  goVersion: "",
  compiler: "",
  platform: "linux/amd64",
};

const GROUPS = ["rbac.authorization.k8s.io", "networking.k8s.io"];

/** Returns the discovery document of a path; undefined if it is another path. */
export function findDiscovery(path: string): unknown {
  switch (path) {
    case "/version":
      return VERSION;
    case "/api":
      return {
        kind: "APIVersions",
        versions: ["v1"],
        serverAddressByClientCIDRs: [],
      };
    case "/apis":
      return {
        kind: "APIGroupList",
        apiVersion: "v1",
        groups: GROUPS.map((name) => {
          const version = { groupVersion: `${name}/v1`, version: "v1" };
          return { name, versions: [version], preferredVersion: version };
        }),
      };
    case "/api/v1":
      return renderResources("v1", [
        { ...declare("pods", "Pod"), shortNames: ["po"], categories: ["all"] },
        { ...declare("pods/log", "Pod"), singularName: "", verbs: ["get"] },
        declare("secrets", "Secret"),
        declare("events", "Event"),
        declare("serviceaccounts", "ServiceAccount"),
        { ...declare("namespaces", "Namespace"), namespaced: false },
      ]);
    case "/apis/rbac.authorization.k8s.io/v1":
      return renderResources("rbac.authorization.k8s.io/v1", [
        declare("roles", "Role"),
        declare("rolebindings", "RoleBinding"),
      ]);
    case "/apis/networking.k8s.io/v1":
      return renderResources("networking.k8s.io/v1", [
        declare("networkpolicies", "NetworkPolicy"),
      ]);
    default:
      return undefined;
  }
}

function declare(name: string, kind: string): Record<string, unknown> {
  const singularName = kind.toLowerCase();
  return { name, singularName, namespaced: true, kind, verbs: VERBS };
}

function renderResources(
  groupVersion: string,
  resources: readonly Record<string, unknown>[],
): unknown {
  return { kind: "APIResourceList", groupVersion, resources };
}
