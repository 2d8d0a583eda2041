import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { Role } from "kubernetes-models/rbac.authorization.k8s.io/v1/Role";
import { RoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1/RoleBinding";
import { Namespace } from "kubernetes-models/v1/Namespace";
import { Pod } from "kubernetes-models/v1/Pod";
import { Secret } from "kubernetes-models/v1/Secret";
import { ServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import { StatusError, type StoredObject } from "./objects.ts";

/** Maximum length of a name. */
const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const LABEL = /^(([A-Za-z0-9][\w.-]{0,61})?[A-Za-z0-9])?$/;
const LABEL_KEY =
  /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/;
const VARIABLE = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;
const SECRET_KEY = /^[-._a-zA-Z0-9]{1,253}$/;

/** The published schemas by kind. */
const MODELS = [
  NetworkPolicy,
  Role,
  RoleBinding,
  Namespace,
  Pod,
  Secret,
  ServiceAccount,
];

/**
 * Checks an object against the published schema of Kubernetes, and the rules of its validation that a schema does not
 * express.
 *
 * @throws {StatusError} 422
 */
export function validateObject(object: StoredObject): void {
  const model = MODELS.find(({ kind }) => kind === object.kind);
  if (!model) reject(`kind: Unsupported value: "${object.kind}"`);
  try {
    new model(object as never).validate();
  } catch (error) {
    reject(String(error));
  }
  const { name, labels = {} } = object.metadata;
  if (!NAME.test(name ?? "")) reject(`metadata.name: Invalid value: "${name}"`);
  for (const [key, value] of Object.entries(labels)) {
    if (!LABEL_KEY.test(key) || !LABEL.test(value)) {
      reject(`metadata.labels: Invalid value: "${key}: ${value}"`);
    }
  }
  if (object.kind === "Pod") validatePod(object);
  if (object.kind === "Secret") validateSecret(object);
}

function validatePod({ spec }: StoredObject): void {
  const volumes = new Set(
    (spec.volumes ?? []).map(({ name }: { name: string }) => name),
  );
  for (const container of spec.containers) {
    for (const { name } of container.env ?? []) {
      if (!VARIABLE.test(name)) reject(`env: Invalid value: "${name}"`);
    }
    for (const { name } of container.volumeMounts ?? []) {
      if (!volumes.has(name)) {
        reject(`volumeMounts[].name: Not found: "${name}"`);
      }
    }
    const { requests = {}, limits = {} } = container.resources ?? {};
    for (const key of ["cpu", "memory"]) {
      if (requests[key] !== limits[key]) {
        reject(`${key}: the tests expect requests that equal the limits`);
      }
    }
    const context = container.securityContext ?? {};
    if (context.runAsNonRoot && !(context.runAsUser > 0)) {
      reject("runAsNonRoot: a user by name cannot be verified");
    }
  }
  if (spec.automountServiceAccountToken !== false) {
    reject("the tests expect pods without a token");
  }
}

function validateSecret({ data = {}, stringData = {} }: StoredObject): void {
  for (const key of Object.keys({ ...data, ...stringData })) {
    if (!SECRET_KEY.test(key)) reject(`data: Invalid value: "${key}"`);
  }
}

function reject(message: string): never {
  throw new StatusError(422, "Invalid", message);
}
