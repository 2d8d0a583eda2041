/**
 * The parts of Azure's responses that this provider reads.
 *
 * @see {@link https://learn.microsoft.com/en-us/rest/api/container-instances/ Container Instances}
 * @module
 */
import { z } from "zod";

const stateSchema = z.object({
  /** `Waiting`, `Running` or `Terminated`. */
  state: z.string().nullish(),
  exitCode: z.number().nullish(),
  detailStatus: z.string().nullish(),
});

const eventSchema = z.object({
  name: z.string().nullish(),
  message: z.string().nullish(),
  /** `Normal` or `Warning`. */
  type: z.string().nullish(),
});

const eventsSchema = z.array(eventSchema).nullish();

/** A container group. Lists leave out the views of the instance. */
export const containerGroupSchema = z.object({
  name: z.string(),
  location: z.string().nullish(),
  tags: z.record(z.string(), z.string()).nullish(),
  properties: z.object({
    provisioningState: z.string().nullish(),
    ipAddress: z.object({ ip: z.string().nullish() }).nullish(),
    instanceView: z.object({
      /** `Pending`, `Running`, `Succeeded`, `Failed` or `Stopped`. */
      state: z.string().nullish(),
      events: eventsSchema,
    }).nullish(),
    containers: z.array(z.object({
      name: z.string(),
      properties: z.object({
        image: z.string().nullish(),
        instanceView: z.object({
          currentState: stateSchema.nullish(),
          events: eventsSchema,
        }).nullish(),
      }),
    })),
  }),
});

export type ContainerGroup = z.infer<typeof containerGroupSchema>;

export const containerGroupPageSchema = z.object({
  value: z.array(containerGroupSchema),
  nextLink: z.string().nullish(),
});

export const logsSchema = z.object({ content: z.string().nullish() });

export const usagesSchema = z.object({
  value: z.array(z.object({
    currentValue: z.number(),
    limit: z.number(),
    name: z.object({ value: z.string() }),
  })),
});

export const resourceGroupSchema = z.object({ location: z.string() });

/** The registration of Azure Container Instances in a subscription. */
export const resourceProviderSchema = z.object({
  registrationState: z.string(),
});

/** The actions that the identity may take in a scope. */
export const permissionsSchema = z.object({
  value: z.array(z.object({
    actions: z.array(z.string()).default([]),
    notActions: z.array(z.string()).default([]),
  })),
});
