import type { BrowserSpec } from "../../core/browser_spec.ts";
import { IMAGE_CDP_PORT } from "../kit/browser_image.ts";
import { quoteArgument } from "../kit/quote_argument.ts";
import { type AzureConfig, readGroupSize } from "./config.ts";
import { resolveSessionImage, resolveWorkerImage } from "./group/images.ts";
import {
  createSessionVariables,
  renderSessionCommand,
} from "./session/plan.ts";
import { renderWorkerCommand } from "./worker/plan.ts";

/** Renders the `az container create` command of a session's browser, or of a worker for it. Secrets are shown as `...`. */
export function renderAzCommand(
  spec: BrowserSpec,
  config: AzureConfig,
): string {
  return config.unit === "session"
    ? renderSession(spec, config)
    : renderWorker(config);
}

function renderSession(spec: BrowserSpec, config: AzureConfig): string {
  const size = readGroupSize(config);
  const memory = spec.memoryBytes === undefined
    ? size.memoryGb
    : spec.memoryBytes / 2 ** 30;
  return renderCreate(config, {
    name: "browsergrid-session",
    image: resolveSessionImage(config, spec),
    cpu: spec.cpu ?? size.cpu,
    memory,
    variables: Object.keys(createSessionVariables(spec, config)),
    command: renderSessionCommand(spec, config),
    rest: ["--ip-address Private", `--ports ${IMAGE_CDP_PORT}`],
  });
}

function renderWorker(config: AzureConfig): string {
  const { cpu, memoryGb: memory } = readGroupSize(config);
  const worker = { workerId: "\u2026", capacity: config.capacity };
  return renderCreate(config, {
    name: "browsergrid-worker",
    image: resolveWorkerImage(config),
    cpu,
    memory,
    variables: ["BROWSERGRID_API_KEY"],
    command: renderWorkerCommand(worker, "\u2026"),
    rest: ["--environment-variables BROWSERGRID_API_URL=\u2026"],
  });
}

function renderCreate(config: AzureConfig, group: {
  readonly name: string;
  readonly image: string;
  readonly cpu: number;
  readonly memory: number;
  readonly variables: readonly string[];
  readonly command: readonly string[];
  readonly rest: readonly string[];
}): string {
  const option = (name: string, value: string | undefined) =>
    value === undefined ? [] : [`--${name} ${quoteArgument(value)}`];
  const line = group.command.map(quoteArgument).join(" ");
  return [
    "az container create",
    ...option("subscription", config.subscription_id),
    ...option("resource-group", config.resource_group),
    ...option("location", config.location),
    `--name ${group.name}`,
    ...option("image", group.image),
    `--cpu ${group.cpu}`,
    `--memory ${group.memory}`,
    "--os-type Linux",
    "--restart-policy Never",
    ...option("subnet", config.subnet_id),
    ...option("registry-login-server", config.registry_server),
    ...option("registry-username", config.registry_username),
    ...(config.registry_username === undefined
      ? []
      : ["--registry-password \u2026"]),
    ...option("acr-identity", config.registry_identity),
    ...option("assign-identity", config.registry_identity),
    ...group.rest,
    `--secure-environment-variables ${
      group.variables.map((name) => `${name}=\u2026`).join(" ")
    }`,
    ...option("command-line", line),
  ].join(" ");
}
