/** Kinds of objects that the contract server stores. */
export type Resource =
  | "pods"
  | "secrets"
  | "events"
  | "serviceaccounts"
  | "roles"
  | "rolebindings"
  | "networkpolicies"
  | "namespaces"
  | "runtimeclasses";

/** A stored object: what clients sent, with what the server adds. */
export interface StoredObject {
  readonly metadata: StoredMetadata;
  // deno-lint-ignore no-explicit-any -- the server stores what clients send, and its parts read it with care
  [member: string]: any;
}

/** Metadata of every object. */
export interface StoredMetadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  resourceVersion: string;
  readonly creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  readonly labels?: Record<string, string>;
  readonly ownerReferences?: {
    apiVersion: string;
    kind: string;
    name: string;
    uid: string;
  }[];
}

/** A change of an object, as watches report it. */
export interface Change {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly resource: Resource;
  readonly object: StoredObject;
}

/** An error response. */
export class StatusError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: number,
    reason: string,
    message: string,
    retryAfterSeconds?: number,
  ) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** Returns the body of the response. */
  toStatus(): Record<string, unknown> {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: this.message,
      reason: this.reason,
      code: this.code,
      ...(this.retryAfterSeconds !== undefined && {
        details: { retryAfterSeconds: this.retryAfterSeconds },
      }),
    };
  }
}

/** A time as Kubernetes writes it, in whole seconds. */
export function renderTime(ms: number = Date.now()): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
