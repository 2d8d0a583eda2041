import { ServerResponse } from "node:http";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { StatusError, type StoredObject } from "./objects.ts";
import type { Store } from "./store.ts";

/** A fault of the next requests that match. */
interface RequestFault {
  readonly request: RegExp;
  readonly fault: StatusError | "lost";
  times: number;
}

/** Credentials, rights and faults of a server. */
export class ApiFaults {
  /** Accepted bearer tokens. */
  readonly tokens = new Set(["contract-token"]);
  /** Rights that the credentials lack, such as `watch pods`. */
  readonly denied = new Set<string>();
  /** Reasons to reject every pod. */
  podProblem: ((pod: StoredObject) => string | undefined) | undefined;
  #pending: RequestFault[] = [];

  /** Has the next requests that match fail: with a status, or with their response lost after their effect. */
  fail(
    request: RegExp,
    fault: StatusError | "lost",
    { times = 1 }: { readonly times?: number } = {},
  ): void {
    this.#pending.push({ request, fault, times });
  }

  /** @throws {StatusError} 401 */
  authenticate(authorization: string | undefined): void {
    if (this.tokens.has(authorization?.replace(/^Bearer /, "") ?? "")) return;
    throw new StatusError(401, "Unauthorized", "Unauthorized");
  }

  /** Reports whether the response of a request is lost. @throws {StatusError} If the request fails. */
  apply(line: string, _body: unknown): boolean {
    const found = this.#pending.find(({ request }) => request.test(line));
    if (!found) return false;
    if (--found.times === 0) {
      this.#pending = this.#pending.filter((each) => each !== found);
    }
    if (found.fault !== "lost") throw found.fault;
    return true;
  }

  /** Returns a response that goes nowhere. */
  discard(): ServerResponse {
    return new ServerResponse(new IncomingMessage(new Socket()));
  }

  /** Returns the result of an access review. */
  review(body: unknown): unknown {
    const { spec } = body as StoredObject;
    const { verb, resource, subresource, group } = spec.resourceAttributes;
    const path = [resource, subresource].filter(Boolean).join("/") +
      (group ? `.${group}` : "");
    const allowed = !this.denied.has(`${verb} ${path}`);
    return {
      kind: "SelfSubjectAccessReview",
      apiVersion: "authorization.k8s.io/v1",
      spec,
      status: { allowed },
    };
  }

  /** @throws {StatusError} 403 as of quota, pod security or an unknown runtime class. */
  admit(object: unknown, store: Store): void {
    const pod = object as StoredObject;
    if (pod.kind !== "Pod") return;
    const { runtimeClassName: runtimeClass } = pod.spec;
    const problem = runtimeClass !== undefined &&
        !store.find("runtimeclasses", "", runtimeClass)
      ? `pod rejected: RuntimeClass "${runtimeClass}" not found`
      : this.podProblem?.(pod);
    if (problem === undefined) return;
    throw new StatusError(
      403,
      "Forbidden",
      `pods "${pod.metadata.name}" is forbidden: ${problem}`,
    );
  }
}
