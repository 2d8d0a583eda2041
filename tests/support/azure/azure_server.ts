/**
 * A contract server of Azure: it speaks the published API of container groups and the three sign-ins, checks every
 * request strictly, and runs each group as a container of the Docker engine.
 *
 * @module
 */
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { text } from "node:stream/consumers";
import { systemClock } from "../../../src/async/clock.ts";
import type { FaultyConnection } from "../provider_machine.ts";
import { listServerContainers } from "./group.ts";
import { reject, TestGroups } from "./groups.ts";
import {
  LOCATION,
  RESOURCE_GROUP,
  respond,
  SUBSCRIPTION,
  type Subscription,
} from "./routes.ts";
import { CREDENTIALS, type Reply, Tokens } from "./tokens.ts";

/** A rejection of the next requests that begin so: `PUT /subscriptions`. */
interface Rejection {
  readonly request: RegExp;
  readonly reply: Reply;
  times: number;
}

/** A contract server. Disposal ends its containers. */
export class AzureServer implements AsyncDisposable, FaultyConnection {
  readonly groups = new TestGroups();
  readonly tokens = new Tokens();
  readonly subscription: Subscription = {
    registrationState: "Registered",
    permissions: {
      actions: ["Microsoft.ContainerInstance/*", "*/read"],
      notActions: [],
    },
    quotas: [
      { name: "ContainerGroups", currentValue: 3, limit: 100 },
      { name: "StandardCores", currentValue: 6, limit: 100 },
    ],
  };
  /** Requests in order: `GET /subscriptions/...`, without the query. */
  readonly requests: string[] = [];
  readonly #rejections: Rejection[] = [];
  #losing: { readonly request: RegExp; readonly lost: () => void } | undefined;
  #server: Server | undefined;
  #port = 0;
  #delayMs = 0;
  #flow = Promise.withResolvers<void>();
  readonly #handling = new Set<Promise<void>>();

  /** Starts a server on loopback. */
  static async start(): Promise<AzureServer> {
    const server = new AzureServer();
    server.#flow.resolve();
    await server.#listen();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Members of a `provider_config` that lead to this server. */
  get config(): Readonly<Record<string, unknown>> {
    return {
      subscription_id: SUBSCRIPTION,
      resource_group: RESOURCE_GROUP,
      location: LOCATION,
      tenant_id: CREDENTIALS.tenant_id,
      client_id: CREDENTIALS.client_id,
      client_secret: CREDENTIALS.client_secret,
      management_url: this.url,
      login_url: this.url,
      metadata_url: this.url,
      subnet_id:
        `/subscriptions/${SUBSCRIPTION}/resourceGroups/${RESOURCE_GROUP}/providers/Microsoft.Network/virtualNetworks/grid/subnets/browsers`,
    };
  }

  /** Lists the names of groups and the ids of containers that are left. */
  async listResources(): Promise<readonly string[]> {
    return [
      ...this.groups.names,
      ...await listServerContainers(this.groups.serverId),
    ];
  }

  /** Rejects the next requests that match, such as `PUT /subscriptions/...`. */
  reject(request: RegExp, reply: Reply, times = 1): void {
    this.#rejections.push({ request, reply, times });
  }

  /** Loses the response to the next request that matches. Resolves when it had its effect. */
  loseResponse(request: RegExp): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#losing = { request, lost: resolve };
    return promise;
  }

  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }

  stall(): void {
    this.#flow.resolve();
    this.#flow = Promise.withResolvers<void>();
  }

  slow(ms: number): void {
    this.#delayMs = ms;
  }

  async mend(): Promise<void> {
    this.#delayMs = 0;
    this.#flow.resolve();
    if (!this.#server) await this.#listen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#flow.resolve();
    await this.cut();
    await Promise.allSettled(this.#handling);
    await this.groups.clear();
  }

  async #listen(): Promise<void> {
    const server = createServer((request, response) => {
      const handled = this.#handle(request, response).catch((error) => {
        response.destroy(error instanceof Error ? error : undefined);
      }).finally(() => this.#handling.delete(handled));
      this.#handling.add(handled);
    });
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address === "object" && address) this.#port = address.port;
    this.#server = server;
  }

  async #handle(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    const line = `${request.method} ${url.pathname}`;
    const body = await text(request);
    this.requests.push(line);
    await this.#flow.promise;
    if (this.#delayMs > 0) await systemClock.sleep(this.#delayMs);
    const losing = this.#losing?.request.test(line) ? this.#losing : undefined;
    if (losing) this.#losing = undefined;
    const reply = this.#takeRejection(line) ??
      await this.#respond(request, url, body);
    await this.#flow.promise;
    if (losing) {
      request.socket.destroy();
      losing.lost();
      return;
    }
    this.#write(response, url, reply);
  }

  #takeRejection(line: string): Reply | undefined {
    const found = this.#rejections.find(({ request, times }) =>
      times > 0 && request.test(line)
    );
    if (found) found.times--;
    return found?.reply;
  }

  async #respond(
    request: IncomingMessage,
    url: URL,
    body: string,
  ): Promise<Reply> {
    const { method = "" } = request;
    const [, tenant] = /^\/([^/]+)\/oauth2\/v2\.0\/token$/.exec(url.pathname) ??
      [];
    if (method === "POST" && tenant !== undefined) {
      return this.tokens.signIn(tenant, body, this.url);
    }
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers)) {
      headers.set(name, String(value));
    }
    if (url.pathname === "/metadata/identity/oauth2/token") {
      return this.tokens.imds(url, headers, this.url);
    }
    if (url.pathname === "/identity/token") {
      return this.tokens.identityEndpoint(url, headers, this.url);
    }
    if (!this.tokens.accepts(request.headers.authorization)) {
      return reject(401, "InvalidAuthenticationToken", "The token is invalid");
    }
    return await respond(
      { method, url, body },
      this.groups,
      this.subscription,
    );
  }

  #write(response: ServerResponse, url: URL, { status, body, headers }: Reply) {
    const { location, ...others } = headers ?? {};
    response.writeHead(status, {
      ...others,
      ...(location !== undefined && {
        location: `${
          url.href.replace(/\/[^/]*$/, "")
        }/${location}?api-version=2025-09-01`,
      }),
      ...(body !== undefined && { "content-type": "application/json" }),
    });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  }
}
