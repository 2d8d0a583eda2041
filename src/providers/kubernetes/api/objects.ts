/**
 * The parts of Kubernetes objects that this provider reads.
 *
 * @see {@link https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.32/ Kubernetes API}
 * @module
 */
import { z } from "zod";

const textSchema = z.string().nullish();

const conditionSchema = z.object({
  type: z.string(),
  status: z.string(),
  reason: textSchema,
  message: textSchema,
});

const containerStatusSchema = z.object({
  name: z.string(),
  state: z.object({
    waiting: z.object({ reason: textSchema, message: textSchema }).nullish(),
    running: z.object({ startedAt: textSchema }).nullish(),
    terminated: z.object({
      exitCode: z.number(),
      reason: textSchema,
      message: textSchema,
    }).nullish(),
  }).nullish(),
});

/** A pod as the API returns it. */
export const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    creationTimestamp: textSchema,
    deletionTimestamp: textSchema,
    labels: z.record(z.string(), z.string()).nullish(),
  }),
  spec: z.object({
    nodeName: textSchema,
    containers: z.array(z.object({ image: textSchema })),
  }),
  status: z.object({
    phase: textSchema,
    reason: textSchema,
    message: textSchema,
    podIP: textSchema,
    conditions: z.array(conditionSchema).nullish(),
    containerStatuses: z.array(containerStatusSchema).nullish(),
  }).nullish(),
});

export type Pod = z.infer<typeof podSchema>;

/** One page of a list of pods. */
export const podListSchema = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: textSchema }),
  items: z.array(podSchema),
});

/** An event of a watch. The object of an error is a status. */
export const watchEventSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.enum(["ADDED", "MODIFIED", "DELETED"]),
    object: podSchema,
  }),
  z.object({
    type: z.literal("BOOKMARK"),
    object: z.object({ metadata: z.object({ resourceVersion: z.string() }) }),
  }),
  z.object({
    type: z.literal("ERROR"),
    object: z.object({
      code: z.number().nullish(),
      reason: textSchema,
      message: textSchema,
    }),
  }),
]);

export type WatchEvent = z.infer<typeof watchEventSchema>;

/** Body of an error response. */
export const statusSchema = z.object({
  kind: z.literal("Status"),
  message: textSchema,
  reason: textSchema,
  details: z.object({ retryAfterSeconds: z.number().nullish() }).nullish(),
});

export const eventListSchema = z.object({
  items: z.array(z.object({
    type: textSchema,
    reason: textSchema,
    message: textSchema,
    lastTimestamp: textSchema,
    eventTime: textSchema,
  })),
});

export const versionSchema = z.object({ gitVersion: z.string() });

export const accessReviewSchema = z.object({
  status: z.object({ allowed: z.boolean() }),
});

/** Resource use of a pod, as the metrics server returns it. */
export const podMetricsSchema = z.object({
  containers: z.array(z.object({
    usage: z.object({ cpu: z.string(), memory: z.string() }),
  })),
});
