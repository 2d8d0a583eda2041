import {
  type Change,
  renderTime,
  type Resource,
  StatusError,
  type StoredMetadata,
  type StoredObject,
} from "./objects.ts";

/** Stores objects with versions, and the changes from which watches continue, as etcd does. */
export class Store {
  readonly #objects = new Map<string, StoredObject>();
  readonly #listeners = new Set<(change: Change) => void>();
  #history: Change[] = [];
  #version = 1_000;
  /** Version before which changes are forgotten. */
  #compacted = 0;

  get version(): number {
    return this.#version;
  }

  /** Adds an object. @throws {StatusError} 409 if one of this name exists. */
  create(
    resource: Resource,
    namespace: string,
    sent: Readonly<Record<string, unknown>> & {
      readonly metadata: Partial<StoredMetadata>;
    },
  ): StoredObject {
    const { name = "" } = sent.metadata;
    const key = toKey(resource, namespace, name);
    if (this.#objects.has(key)) {
      throw new StatusError(
        409,
        "AlreadyExists",
        `${resource} "${name}" already exists`,
      );
    }
    const object: StoredObject = {
      ...structuredClone(sent),
      metadata: {
        ...structuredClone(sent.metadata),
        name,
        namespace,
        uid: crypto.randomUUID(),
        creationTimestamp: renderTime(),
        resourceVersion: "",
      },
    };
    this.#objects.set(key, object);
    this.#record("ADDED", resource, object);
    return object;
  }

  /** @throws {StatusError} 404 if there is none. */
  get(resource: Resource, namespace: string, name: string): StoredObject {
    const found = this.#objects.get(toKey(resource, namespace, name));
    if (found) return found;
    throw new StatusError(404, "NotFound", `${resource} "${name}" not found`);
  }

  /** Returns an object; undefined if there is none. */
  find(
    resource: Resource,
    namespace: string,
    name: string,
  ): StoredObject | undefined {
    return this.#objects.get(toKey(resource, namespace, name));
  }

  list(resource: Resource, namespace?: string): readonly StoredObject[] {
    const prefix = namespace === undefined
      ? `${resource}/`
      : `${resource}/${namespace}/`;
    return [...this.#objects].filter(([key]) => key.startsWith(prefix))
      .map(([, object]) => object);
  }

  /** Records a change that `mutate` makes, unless the object is gone. */
  update(
    resource: Resource,
    { metadata: { namespace, name, uid } }: StoredObject,
    mutate: (object: StoredObject) => void,
  ): void {
    const object = this.find(resource, namespace, name);
    if (object?.metadata.uid !== uid) return;
    mutate(object);
    this.#record("MODIFIED", resource, object);
  }

  /** Removes an object, and what it owns. */
  remove(resource: Resource, object: StoredObject): void {
    const { namespace, name, uid } = object.metadata;
    if (this.find(resource, namespace, name)?.metadata.uid !== uid) return;
    this.#objects.delete(toKey(resource, namespace, name));
    this.#record("DELETED", resource, object);
    for (const secret of this.list("secrets", namespace)) {
      const owners = secret.metadata.ownerReferences ?? [];
      if (owners.some((owner) => owner.uid === uid)) {
        this.remove("secrets", secret);
      }
    }
  }

  /** Forgets all changes until now: watches of earlier versions get 410. */
  compact(): void {
    this.#history = [];
    this.#compacted = this.#version;
  }

  /** Returns the changes since a version. @throws {StatusError} 410 if they are forgotten. */
  changesSince(version: number): readonly Change[] {
    if (version < this.#compacted) {
      throw new StatusError(
        410,
        "Expired",
        `too old resource version: ${version} (${this.#compacted})`,
      );
    }
    return this.#history.filter((change) => change.version > version);
  }

  /** Calls `listener` with each change until the disposal of the result. */
  subscribe(listener: (change: Change) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  #record(
    type: Change["type"],
    resource: Resource,
    object: StoredObject,
  ): void {
    const version = ++this.#version;
    object.metadata.resourceVersion = String(version);
    const change = {
      version,
      type,
      resource,
      object: structuredClone(object),
    };
    this.#history.push(change);
    for (const listener of [...this.#listeners]) listener(change);
  }
}

function toKey(resource: Resource, namespace: string, name: string): string {
  return `${resource}/${namespace}/${name}`;
}
