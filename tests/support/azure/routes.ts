import { reject, type TestGroups } from "./groups.ts";
import type { Reply } from "./tokens.ts";

/** Names that exist on a contract server. */
export const SUBSCRIPTION = "00000000-0000-4000-8000-00000000000a";
export const RESOURCE_GROUP = "grid";
export const LOCATION = "westeurope";

const GROUPS_VERSIONS = ["2025-09-01"];
const RESOURCES_VERSIONS = ["2021-04-01"];
const PERMISSIONS_VERSIONS = ["2022-04-01"];
const PERMISSIONS = "/providers/Microsoft.Authorization/permissions";

/** A quota of the region. */
export interface Quota {
  readonly name: string;
  readonly currentValue: number;
  readonly limit: number;
}

/** State of a subscription that requests do not change. */
export interface Subscription {
  registrationState: string;
  quotas: readonly Quota[];
  /** Rights of the identity. */
  permissions: {
    readonly actions: readonly string[];
    readonly notActions: readonly string[];
  };
}

/** A request to Azure's API that is signed in. */
export interface ApiRequest {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
}

const SUBSCRIPTION_PATH = `/subscriptions/${SUBSCRIPTION}`;
const NAMESPACE = "providers/Microsoft.ContainerInstance";

/** Responds to a request as the published API describes it. */
export async function respond(
  { method, url, body }: ApiRequest,
  groups: TestGroups,
  subscription: Subscription,
): Promise<Reply> {
  const { pathname: path, searchParams: query, origin } = url;
  const rest = stripPrefix(path, `${SUBSCRIPTION_PATH}/`);
  if (rest === undefined) {
    return reject(404, "SubscriptionNotFound", `No subscription at ${path}`);
  }
  const version = query.get("api-version") ?? "";
  const isOfGroups = rest.includes("/containerGroups") ||
    rest.includes("/locations/");
  const versions = isOfGroups
    ? GROUPS_VERSIONS
    : rest.endsWith(PERMISSIONS)
    ? PERMISSIONS_VERSIONS
    : RESOURCES_VERSIONS;
  if (!versions.includes(version)) {
    return reject(400, "InvalidApiVersionParameter", `Version ${version}`);
  }
  if (rest === NAMESPACE) {
    return {
      status: 200,
      body: {
        namespace: "Microsoft.ContainerInstance",
        registrationState: subscription.registrationState,
      },
    };
  }
  const location = stripPrefix(rest, `${NAMESPACE}/locations/${LOCATION}/`);
  if (location === "usages") return renderUsages(subscription);
  const [, resourceGroup, inGroup = ""] =
    /^resourceGroups\/([^/]+)\/?(.*)$/i.exec(rest) ?? [];
  if (resourceGroup !== RESOURCE_GROUP) {
    return reject(
      404,
      "ResourceGroupNotFound",
      `Resource group '${resourceGroup}' could not be found.`,
    );
  }
  if (inGroup === "") {
    return { status: 200, body: { name: resourceGroup, location: LOCATION } };
  }
  if (`/${inGroup}` === PERMISSIONS) {
    return { status: 200, body: { value: [subscription.permissions] } };
  }
  const base =
    `${SUBSCRIPTION_PATH}/resourceGroups/${RESOURCE_GROUP}/${NAMESPACE}/containerGroups`;
  const name = stripPrefix(path, base);
  if (name === undefined) return reject(404, "NotFound", path);
  return await respondForGroup(
    { method, name: name.slice(1), id: path, query, body, base, origin },
    groups,
  );
}

interface GroupCall {
  readonly method: string;
  /** Rest of the path: empty for the list. */
  readonly name: string;
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: string;
  readonly base: string;
  readonly origin: string;
}

async function respondForGroup(
  { method, name, id, query, body, base, origin }: GroupCall,
  groups: TestGroups,
): Promise<Reply> {
  if (name === "" && method === "GET") {
    return await groups.list(
      base,
      origin,
      Number(query.get("$skiptoken") ?? 0),
    );
  }
  const [, container] = /^([^/]+)\/containers\/main\/logs$/.exec(name) ?? [];
  if (container !== undefined && method === "GET") {
    const tail = query.get("tail");
    return await groups.logs(
      container,
      tail === null ? undefined : Number(tail),
    );
  }
  const [, operation] = /^operations\/([^/]+)$/.exec(name) ?? [];
  if (operation !== undefined) {
    return await groups.operation(`${base}/${operation}`, operation);
  }
  switch (method) {
    case "PUT":
      return await groups.put(id, name, body);
    case "GET":
      return await groups.read(id, name);
    case "DELETE":
      return groups.delete(name);
    default:
      return reject(405, "MethodNotAllowed", method);
  }
}

function renderUsages({ quotas }: Subscription): Reply {
  return {
    status: 200,
    body: {
      value: quotas.map(({ name, ...numbers }) => ({
        id:
          `${SUBSCRIPTION_PATH}/${NAMESPACE}/locations/${LOCATION}/usages/${name}`,
        unit: "Count",
        ...numbers,
        name: { value: name, localizedValue: name },
      })),
    },
  };
}

function stripPrefix(text: string, prefix: string): string | undefined {
  return text.startsWith(prefix) ? text.slice(prefix.length) : undefined;
}
