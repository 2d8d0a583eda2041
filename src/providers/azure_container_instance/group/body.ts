import type { AzureConfig, GroupSize } from "../config.ts";
import type { Tags } from "./tags.ts";

/** Name of the only container of a group. */
export const CONTAINER = "main";

/** A variable of a container. Azure never shows a secure value. */
export type GroupVariable =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly secureValue: string };

/** The request for a container group. */
export interface GroupBody {
  readonly location: string;
  readonly tags: Tags;
  readonly identity?: {
    readonly type: "UserAssigned";
    readonly userAssignedIdentities: Readonly<
      Record<string, Readonly<Record<string, never>>>
    >;
  };
  readonly properties: {
    readonly osType: "Linux";
    readonly sku: "Standard";
    readonly restartPolicy: "Never";
    readonly containers: readonly [{
      readonly name: string;
      readonly properties: {
        readonly image: string;
        readonly command: readonly string[];
        readonly ports?: readonly Port[];
        readonly environmentVariables: readonly GroupVariable[];
        readonly resources: {
          readonly requests: {
            readonly cpu: number;
            readonly memoryInGB: number;
          };
        };
      };
    }];
    readonly imageRegistryCredentials?: readonly {
      readonly server: string;
      readonly username?: string | undefined;
      readonly password?: string | undefined;
      readonly identity?: string | undefined;
    }[];
    readonly ipAddress?: {
      readonly type: "Private";
      readonly ports: readonly Port[];
    };
    readonly subnetIds?: readonly { readonly id: string }[];
  };
}

interface Port {
  readonly port: number;
  readonly protocol: "TCP";
}

/** The parts of a group that differ between sessions and workers. */
export interface GroupPlan {
  readonly tags: Tags;
  readonly image: string;
  /** Entrypoint and arguments, which replace both of the image. */
  readonly command: readonly string[];
  readonly size: GroupSize;
  readonly variables: readonly GroupVariable[];
  /** Port at the group's private address; undefined if it has no address. */
  readonly port?: number | undefined;
}

/** Returns the request for a container group. It never has a public address. */
export function createGroupBody(
  config: AzureConfig,
  plan: GroupPlan,
): GroupBody {
  const { location, subnet_id, registry_identity: identity } = config;
  const ports = plan.port === undefined
    ? undefined
    : [{ port: plan.port, protocol: "TCP" as const }];
  const credentials = createCredentials(config);
  return {
    location,
    tags: plan.tags,
    ...(identity !== undefined && {
      identity: {
        type: "UserAssigned" as const,
        userAssignedIdentities: { [identity]: {} },
      },
    }),
    properties: {
      osType: "Linux",
      sku: "Standard",
      restartPolicy: "Never",
      containers: [{
        name: CONTAINER,
        properties: {
          image: plan.image,
          command: plan.command,
          ...(ports && { ports }),
          environmentVariables: plan.variables,
          resources: {
            requests: {
              cpu: plan.size.cpu,
              memoryInGB: roundMemory(plan.size.memoryGb),
            },
          },
        },
      }],
      ...(credentials && { imageRegistryCredentials: [credentials] }),
      ...(ports && { ipAddress: { type: "Private" as const, ports } }),
      ...(subnet_id !== undefined && { subnetIds: [{ id: subnet_id }] }),
    },
  };
}

/** Returns variables whose values Azure does not show. An empty value cannot be secure. */
export function secureVariables(
  variables: Readonly<Record<string, string>>,
): readonly GroupVariable[] {
  return Object.entries(variables).map(([name, value]) =>
    value === "" ? { name, value } : { name, secureValue: value }
  );
}

function createCredentials(
  { registry_server: server, ...config }: AzureConfig,
) {
  if (server === undefined) return undefined;
  const { registry_identity: identity } = config;
  if (identity !== undefined) return { server, identity };
  const { registry_username: username, registry_password: password } = config;
  return username === undefined ? undefined : { server, username, password };
}

/** Rounds memory up to the steps of Azure, 0.1 GB. */
function roundMemory(gb: number): number {
  return Math.ceil(gb * 10 - 1e-9) / 10;
}
