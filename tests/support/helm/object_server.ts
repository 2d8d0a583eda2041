import { type Manifest, parseManifest } from "./chart.ts";

/** A server on loopback to which kubectl sends objects. */
export interface ObjectServer extends AsyncDisposable {
  readonly url: string;
  /** Objects that were created. */
  readonly created: readonly Manifest[];
}

/**
 * Starts a server with the part of the Kubernetes API by which kubectl finds the resources of `manifests` and creates
 * them. `check` throws for an object that it rejects.
 */
export function startObjectServer(
  manifests: readonly Manifest[],
  check: (manifest: Manifest) => void,
): ObjectServer {
  const created: Manifest[] = [];
  const versions = Map.groupBy(manifests, ({ apiVersion }) => apiVersion);
  const discovery = new Map<string, unknown>([
    ["/version", { major: "1", minor: "32", gitVersion: "v1.32.0" }],
    ["/api", { kind: "APIVersions", versions: ["v1"] }],
    ["/apis", {
      kind: "APIGroupList",
      apiVersion: "v1",
      groups: [...versions.keys()].filter((version) => version !== "v1")
        .map(renderGroup),
    }],
    ...[...versions].map(([version, objects]) =>
      [toPath(version), {
        kind: "APIResourceList",
        groupVersion: version,
        resources: renderResources(objects),
      }] as const
    ),
  ]);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      if (request.method === "GET") {
        const document = discovery.get(pathname);
        return document === undefined
          ? renderFailure(404, `no ${pathname}`)
          : Response.json(document);
      }
      try {
        const object = parseManifest(await request.json());
        const { apiVersion, kind, metadata } = object;
        const path = `${toPath(apiVersion)}/namespaces/${metadata.namespace}`;
        if (pathname !== `${path}/${toPlural(kind)}`) {
          return renderFailure(404, `no ${pathname}`);
        }
        check(object);
        created.push(object);
        return Response.json(object, { status: 201 });
      } catch (error) {
        return renderFailure(422, String(error));
      }
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    created,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function renderGroup(groupVersion: string): unknown {
  const [name, version] = groupVersion.split("/");
  const entry = { groupVersion, version };
  return { name, versions: [entry], preferredVersion: entry };
}

function renderResources(manifests: readonly Manifest[]): unknown {
  return [...new Set(manifests.map(({ kind }) => kind))].map((kind) => ({
    kind,
    name: toPlural(kind),
    singularName: kind.toLowerCase(),
    namespaced: true,
    verbs: ["create", "get"],
  }));
}

function toPath(apiVersion: string): string {
  return apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
}

function toPlural(kind: string): string {
  const name = kind.toLowerCase();
  if (name.endsWith("y")) return `${name.slice(0, -1)}ies`;
  return name.endsWith("s") ? `${name}es` : `${name}s`;
}

function renderFailure(code: number, message: string): Response {
  return Response.json(
    { kind: "Status", apiVersion: "v1", status: "Failure", message, code },
    { status: code },
  );
}
