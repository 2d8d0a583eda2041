import type { ContainerCreateOptions, HostConfig } from "dockerode";
import type { BrowserSpec } from "../../core/browser_spec.ts";
import { expandImageName } from "../kit/image/image_name.ts";
import { PLAIN_VARIABLES } from "../kit/image/image_options.ts";
import { quoteArgument } from "../kit/quote_argument.ts";
import { DEFAULT_NETWORK, type DockerConfig } from "./config.ts";
import { createContainerOptions } from "./container/options.ts";

/** Address on which the command publishes CDP. */
const PUBLISH = "127.0.0.1:9222:9222";

/**
 * Renders the `docker run` command that starts the same browser. Values of variables are shown as `...`.
 *
 * The command needs bash or zsh: it reads the project's system call filter from this program.
 */
export function renderRunCommand(
  spec: BrowserSpec,
  config: DockerConfig,
): string {
  const image = expandImageName(config.image, spec);
  const options = createContainerOptions(spec, config, {
    image,
    isProjectImage: true,
    network: config.network,
    labels: {},
    gridAddresses: [],
    init: true,
    limitsSwap: true,
    filtersSyscalls: false,
    seccompProfile: "",
    publishOn: undefined,
  });
  return [
    "docker run --rm",
    ...renderHostOptions(options.HostConfig ?? {}),
    ...renderSeccompOption(config),
    ...(config.network === DEFAULT_NETWORK
      ? []
      : ["--network", quoteArgument(config.network)]),
    ...(options.User === undefined ? [] : [`--user ${options.User}`]),
    ...renderVariables(options),
    "--publish",
    PUBLISH,
    quoteArgument(image),
    ...(options.Cmd ?? []).map(quoteArgument),
  ].join(" ");
}

function renderHostOptions(host: HostConfig): string[] {
  return [
    "--init",
    "--cap-drop ALL",
    ...(host.CapAdd ?? []).map((each: string) => `--cap-add ${each}`),
    "--security-opt no-new-privileges",
    ...(host.NanoCpus ? [`--cpus ${host.NanoCpus / 1e9}`] : []),
    ...(host.Memory
      ? [`--memory ${host.Memory}`, `--memory-swap ${host.Memory}`]
      : []),
    `--shm-size ${host.ShmSize}`,
    `--pids-limit ${host.PidsLimit}`,
  ];
}

function renderSeccompOption({ seccomp }: DockerConfig): string[] {
  switch (seccomp) {
    case "browser":
      return ["--security-opt seccomp=<(browsergrid docker seccomp-profile)"];
    case "engine":
      return [];
    case "unconfined":
      return ["--security-opt seccomp=unconfined"];
    default:
      return seccomp satisfies never;
  }
}

function renderVariables({ Env = [] }: ContainerCreateOptions): string[] {
  return Env.flatMap((pair) => {
    const name = pair.slice(0, pair.indexOf("="));
    return [
      "--env",
      PLAIN_VARIABLES.has(name) ? quoteArgument(pair) : `${name}=\u2026`,
    ];
  });
}
