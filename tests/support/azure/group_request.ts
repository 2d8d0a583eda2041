import { z } from "zod";

/**
 * The request for a container group as Azure accepts it, with the limits of its documentation. Unknown members are
 * rejected, so that a typing error of the provider fails its tests.
 *
 * @see {@link https://learn.microsoft.com/en-us/rest/api/container-instances/container-groups/create-or-update Create Or Update}
 */
const portSchema = z.strictObject({
  port: z.int().min(1).max(65_535),
  protocol: z.enum(["TCP", "UDP"]).optional(),
});

const variableSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/),
  value: z.string().optional(),
  secureValue: z.string().min(1).optional(),
}).refine(
  ({ value, secureValue }) =>
    (value === undefined) !== (secureValue === undefined),
  "expected value or secureValue",
);

const containerSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/),
  properties: z.strictObject({
    image: z.string().min(1),
    command: z.array(z.string()).optional(),
    ports: z.array(portSchema).optional(),
    environmentVariables: z.array(variableSchema).max(100).optional(),
    resources: z.strictObject({
      requests: z.strictObject({
        cpu: z.number().min(0.01).max(4),
        memoryInGB: z.number().min(0.1).max(16).refine(
          (gb) => Math.abs(gb * 10 - Math.round(gb * 10)) < 1e-6,
          "expected steps of 0.1 GB",
        ),
      }),
    }),
  }),
});

const credentialSchema = z.strictObject({
  server: z.string().min(1),
  username: z.string().optional(),
  password: z.string().optional(),
  identity: z.string().optional(),
});

const tagsSchema = z.record(
  z.string().max(512).regex(/^[^<>%&\\?/]+$/),
  z.string().max(256),
).refine((tags) => Object.keys(tags).length <= 50);

/** Schema of the body of a PUT request. */
export const groupRequestSchema = z.strictObject({
  location: z.string().min(1),
  tags: tagsSchema.optional(),
  identity: z.strictObject({
    type: z.enum(["SystemAssigned", "UserAssigned", "None"]),
    userAssignedIdentities: z.record(
      z.string().startsWith("/subscriptions/"),
      z.strictObject({}),
    ).optional(),
  }).optional(),
  properties: z.strictObject({
    osType: z.enum(["Linux", "Windows"]),
    sku: z.enum(["Standard", "Dedicated"]).optional(),
    restartPolicy: z.enum(["Always", "OnFailure", "Never"]).optional(),
    containers: z.array(containerSchema).min(1).max(60),
    imageRegistryCredentials: z.array(credentialSchema).optional(),
    ipAddress: z.strictObject({
      type: z.enum(["Public", "Private"]),
      ports: z.array(portSchema).min(1).max(5),
    }).optional(),
    subnetIds: z.array(z.strictObject({ id: z.string() })).length(1).optional(),
  }),
}).superRefine(({ identity, properties }, context) => {
  const { containers, ipAddress, subnetIds, imageRegistryCredentials = [] } =
    properties;
  if (ipAddress?.type === "Private" && !subnetIds) {
    context.addIssue("a private address needs a subnet");
  }
  const exposed = containers.flatMap(({ properties }) => properties.ports ?? [])
    .map(({ port }) => port);
  for (const { port } of ipAddress?.ports ?? []) {
    if (!exposed.includes(port)) {
      context.addIssue(`no container has port ${port}`);
    }
  }
  for (const { properties: { environmentVariables = [] } } of containers) {
    const names = environmentVariables.map(({ name }) => name);
    if (new Set(names).size < names.length) {
      context.addIssue("a variable has two values");
    }
  }
  for (const each of imageRegistryCredentials) {
    const isKnown = each.identity !== undefined &&
      identity?.userAssignedIdentities?.[each.identity] !== undefined;
    const hasPassword = each.username !== undefined &&
      each.password !== undefined;
    if (!isKnown && !hasPassword) {
      context.addIssue(`the credentials of ${each.server} are incomplete`);
    }
  }
});

/** A valid request for a container group. */
export type GroupRequest = z.infer<typeof groupRequestSchema>;
