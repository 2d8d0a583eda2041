/** Registry of names without one. */
const DOCKER_HUB = "docker.io";

/** Names of Docker Hub in images and in Docker's configuration. */
const HUB_NAMES: ReadonlySet<string> = new Set([
  DOCKER_HUB,
  "index.docker.io",
  "registry-1.docker.io",
]);

/** Key of Docker Hub in Docker's configuration and for credential helpers. */
const HUB_KEY = "https://index.docker.io/v1/";

/** Returns the registry of an image as `HOST` or `HOST:PORT`: the part before the first `/`, if it can be a host. */
export function parseRegistry(image: string): string {
  const slash = image.indexOf("/");
  const first = slash < 0 ? "" : image.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === "localhost" ||
    first !== first.toLowerCase();
  return isHost ? normalizeRegistry(first) : DOCKER_HUB;
}

/** Returns the registry that a key of Docker's configuration names, which may be a URL. */
export function normalizeRegistry(key: string): string {
  const host = key.replace(/^https?:\/\//, "").replace(/\/.*$/, "")
    .toLowerCase();
  return HUB_NAMES.has(host) ? DOCKER_HUB : host;
}

/** Returns the key of a registry for credential helpers. */
export function toHelperKey(registry: string): string {
  return registry === DOCKER_HUB ? HUB_KEY : registry;
}
