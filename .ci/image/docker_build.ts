import config from "../../deno.json" with { type: "json" };

/** Options of {@linkcode runDockerBuild}. */
export interface DockerBuildOptions {
  readonly tag: string;
  /** Network of the build's steps, such as `host` if the engine's bridge has no internet access. */
  readonly network?: string | undefined;
  /** Name of the Dockerfile in the folder. @default {"Dockerfile"} */
  readonly file?: string;
  /** Values of the Dockerfile's arguments. */
  readonly args?: Readonly<Record<string, string>>;
  /** Annotations of the image, by their names without their prefix. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Builds an image from a folder with the Docker engine. @throws {Error} With the last output of `docker build`. */
export async function runDockerBuild(
  folder: string,
  { tag, network, file = "Dockerfile", args = {}, annotations }:
    DockerBuildOptions,
): Promise<void> {
  const labels = {
    title: config.name,
    version: config.version,
    licenses: config.license,
    ...annotations,
  };
  const { success, stdout, stderr } = await new Deno.Command("docker", {
    args: [
      ...["build", "--tag", tag, "--file", `${folder}/${file}`],
      ...(network === undefined ? [] : ["--network", network]),
      ...Object.entries(args).flatMap(([name, value]) => [
        "--build-arg",
        `${name}=${value}`,
      ]),
      ...Object.entries(labels).flatMap(([name, value]) => [
        "--label",
        `org.opencontainers.image.${name}=${value}`,
      ]),
      folder,
    ],
    stdin: "null",
  }).output();
  if (success) return;
  const decoder = new TextDecoder();
  const output = decoder.decode(stdout) + decoder.decode(stderr);
  throw new Error(`Cannot build image "${tag}":\n${output.slice(-4_000)}`);
}
