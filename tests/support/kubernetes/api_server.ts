import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { findDiscovery } from "./discovery.ts";
import { type ApiCall, readBody, sendError, sendJson } from "./http.ts";
import { forwardPort, measure, sendLog } from "./container_io.ts";
import { type Resource, StatusError } from "./objects.ts";
import type { Nodes } from "./nodes.ts";
import { type ObjectPath, parsePath } from "./paths.ts";
import { isSelected } from "./selectors.ts";
import type { Store } from "./store.ts";
import { asksForTable, renderTable } from "./table.ts";
import { validateObject } from "./validate.ts";
import { Watches } from "./watches.ts";
import type { ApiFaults } from "./api_faults.ts";

const METRICS =
  /^\/apis\/metrics\.k8s\.io\/v1beta1\/namespaces\/([^/]+)\/pods\/([^/]+)$/;
const REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/** Kinds of lists that kubectl and the provider read. */
const LISTS: Partial<Record<Resource, string>> = {
  pods: "PodList",
  secrets: "SecretList",
  events: "EventList",
};

/** The part of the Kubernetes API that the provider and kubectl use. */
export class ApiServer implements AsyncDisposable {
  readonly watches: Watches;
  /** Requests since the start, such as `POST /api/v1/namespaces/browsers/pods`; watches begin with `WATCH`. */
  readonly requests: string[] = [];
  readonly #store: Store;
  readonly #nodes: Nodes;
  readonly #faults: ApiFaults;
  readonly #server: Server;

  constructor(store: Store, nodes: Nodes, faults: ApiFaults) {
    this.#store = store;
    this.#nodes = nodes;
    this.#faults = faults;
    this.watches = new Watches(store);
    this.#server = createServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://localhost");
      const method = request.method ?? "GET";
      const call = { method, url, request, response };
      void this.#serve(call).catch((error) => sendError(response, error));
    });
    this.#server.on("upgrade", (request, socket, head) => {
      const url = new URL(request.url ?? "/", "http://localhost");
      this.requests.push(`GET ${url.pathname}`);
      try {
        this.#faults.authenticate(request.headers.authorization);
        const { namespace = "", name = "" } = parsePath(url.pathname) ?? {};
        if (this.#faults.denied.has("get pods/portforward")) {
          throw new StatusError(403, "Forbidden", "forbidden");
        }
        const { status } = this.#store.get("pods", namespace, name);
        const port = Number(url.searchParams.get("ports"));
        forwardPort(request, socket, { head, address: status.podIP, port });
      } catch {
        socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      }
    });
  }

  /** Listens on loopback and returns the port. */
  async listen(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const { port } = this.#server.address() as AddressInfo; // A TCP server's address is never text.
    return port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.watches.break();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(call: ApiCall): Promise<void> {
    const { method, url, request, response } = call;
    const isWatch = url.searchParams.get("watch") === "true";
    const line = `${isWatch ? "WATCH" : method} ${url.pathname}`;
    this.requests.push(line);
    this.#faults.authenticate(request.headers.authorization);
    const body = method === "GET" ? undefined : await readBody(request);
    const losesResponse = this.#faults.apply(line, body);
    if (losesResponse) {
      await this.#route({ ...call, response: this.#faults.discard() }, body)
        .catch(() => {}); // The client does not hear of the error, too.
      return void response.destroy();
    }
    await this.#route(call, body);
  }

  async #route(call: ApiCall, body: unknown): Promise<void> {
    const { url: { pathname }, response } = call;
    const discovery = findDiscovery(pathname);
    if (discovery) return sendJson(response, 200, discovery);
    if (pathname === REVIEW) {
      return sendJson(response, 201, this.#faults.review(body));
    }
    const [, metricsNamespace, metricsPod] = METRICS.exec(pathname) ?? [];
    if (metricsPod) {
      this.#store.get("pods", metricsNamespace ?? "", metricsPod);
      const id = this.#nodes.containerId(metricsPod);
      if (!id) throw new StatusError(404, "NotFound", "not measured yet");
      return sendJson(response, 200, await measure(id));
    }
    const found = parsePath(pathname);
    if (!found) {
      throw new StatusError(
        404,
        "NotFound",
        "the server could not find the requested resource",
      );
    }
    const { namespace } = found;
    if (namespace !== "") this.#store.get("namespaces", "", namespace);
    await this.#serveObject(call, body, found);
  }

  async #serveObject(
    call: ApiCall,
    body: unknown,
    { namespace, resource, name, sub }: ObjectPath,
  ): Promise<void> {
    const { method, url, response } = call;
    if (name === undefined) {
      if (method === "POST") {
        return this.#create(call, body, { resource, namespace });
      }
      if (url.searchParams.get("watch")) {
        return await this.watches.serve(call, resource, namespace);
      }
      return this.#list(call, resource, namespace);
    }
    const object = this.#store.get(resource, namespace, name);
    if (sub === "log") {
      const id = this.#nodes.containerId(name);
      if (!id) {
        throw new StatusError(
          400,
          "BadRequest",
          `container "browser" in pod "${name}" is waiting to start`,
        );
      }
      return await sendLog(call, id);
    }
    if (method === "DELETE") {
      const options = body as { gracePeriodSeconds?: number } | undefined;
      const grace = options?.gracePeriodSeconds ??
        object.spec?.terminationGracePeriodSeconds ?? 30;
      if (resource === "pods") this.#nodes.delete(name, grace);
      else this.#store.remove(resource, object);
      return sendJson(response, 200, object);
    }
    if (resource === "pods" && asksForTable(call.request.headers.accept)) {
      return sendJson(
        response,
        200,
        renderTable([object], object.metadata.resourceVersion),
      );
    }
    sendJson(response, 200, object);
  }

  #create(
    call: ApiCall,
    body: unknown,
    { resource, namespace }: Pick<ObjectPath, "resource" | "namespace">,
  ): void {
    const sent = body as Parameters<Store["create"]>[2];
    validateObject(sent as never);
    this.#faults.admit(sent, this.#store);
    const withStatus = resource === "pods"
      ? { ...sent, status: { phase: "Pending", conditions: [] } }
      : sent;
    if (call.url.searchParams.get("dryRun") === "All") {
      const metadata = { ...sent.metadata, uid: "dry", resourceVersion: "0" };
      return sendJson(call.response, 201, { ...withStatus, metadata });
    }
    const created = this.#store.create(resource, namespace, withStatus);
    if (resource === "pods") this.#nodes.run(created);
    sendJson(call.response, 201, created);
  }

  #list(
    { url, request, response }: ApiCall,
    resource: Resource,
    namespace: string,
  ): void {
    const items = this.#store.list(resource, namespace)
      .filter((object) => isSelected(object, url.searchParams));
    const resourceVersion = String(this.#store.version);
    if (resource === "pods" && asksForTable(request.headers.accept)) {
      return sendJson(response, 200, renderTable(items, resourceVersion));
    }
    // Pages of two, so that clients must follow them.
    const at = Number(url.searchParams.get("continue") ?? 0);
    const size = url.searchParams.has("limit") ? 2 : items.length;
    const next = at + size < items.length ? String(at + size) : undefined;
    const kind = LISTS[resource] ?? "List";
    sendJson(response, 200, {
      kind,
      apiVersion: "v1",
      metadata: { resourceVersion, ...(next && { continue: next }) },
      items: items.slice(at, at + size),
    });
  }
}
