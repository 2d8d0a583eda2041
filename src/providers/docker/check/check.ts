import { systemClock } from "../../../async/clock.ts";
import { deadline } from "../../../async/deadline.ts";
import type { CheckResult } from "../../../core/provider.ts";
import { expandImageName } from "../../kit/image/image_name.ts";
import type { DockerConfig } from "../config.ts";
import type { ContainerReaper } from "../container/reaper.ts";
import { provideSeccompProfile } from "../container/seccomp.ts";
import type { Engine } from "../engine/engine.ts";
import { engineMessage, engineStatus } from "../engine/engine_error.ts";
import {
  type EngineInfo,
  expectsAddress,
  inspectEngine,
} from "../engine/environment.ts";
import { findImage, type LocalImage } from "../images/image.ts";
import { findCredentials } from "../registry/credentials.ts";
import { sharesItsNetwork } from "../network/egress.ts";
import { findReachProblem } from "../network/reach.ts";
import { probeEgress, probeSandbox } from "./sandbox_probe.ts";

/** Timeout of the search for a registry's credentials. */
const CREDENTIALS_TIMEOUT_MS = 30_000;

/** Checks engine, image, limits, sandbox and egress. Starts no browser; sandbox and egress are tested in trial containers. */
export async function checkDocker(
  engine: Engine,
  config: DockerConfig,
  { reaper, dataDir }: {
    readonly reaper: ContainerReaper;
    readonly dataDir: string;
  },
): Promise<readonly CheckResult[]> {
  let info: EngineInfo;
  try {
    info = await inspectEngine(engine);
  } catch (error) {
    return [{
      name: "engine",
      status: "fail",
      detail: `Cannot reach the Docker engine at ${engine.address}: ${
        engineMessage(error)
      }. ${renderAdvice(error, engine)}`,
    }];
  }
  const name = expandImageName(config.image);
  const image = await findImage(engine, name);
  const seccompProfile = await provideSeccompProfile(info, dataDir);
  const checks = { name, image, info, seccompProfile, reaper };
  return [
    {
      name: "engine",
      status: "ok",
      detail: `${
        info.isPodman ? "Podman" : "Docker engine"
      } ${info.version} at ${engine.address}`,
    },
    await checkImage(name, image, config),
    ...await checkReach(engine, config, info),
    checkInit(info),
    checkLimits(info),
    await checkSandbox(engine, config, checks),
    await checkEgress(engine, config, checks),
  ];
}

async function checkImage(
  name: string,
  image: LocalImage | undefined,
  config: DockerConfig,
): Promise<CheckResult> {
  const result = (status: CheckResult["status"], detail: string) => ({
    name: "image",
    status,
    detail: `Image ${name} is ${detail}`,
  });
  if (image) return result("ok", "present");
  if (config.pull === "never") {
    return result(
      "fail",
      'missing: build it with "browsergrid docker build-image"',
    );
  }
  try {
    using timeout = deadline(systemClock, CREDENTIALS_TIMEOUT_MS);
    const { credentials, problem } = await findCredentials(
      name,
      config,
      timeout.signal,
    );
    const access = credentials
      ? `with the credentials of ${credentials.source}`
      : `without credentials${problem === undefined ? "" : ` (${problem})`}`;
    return result(
      "warn",
      `missing and will be pulled ${access}; "browsergrid docker build-image" builds the project's own`,
    );
  } catch (error) {
    return result(
      "fail",
      `missing and cannot be pulled: ${engineMessage(error)}`,
    );
  }
}

/** Returns what to do if the engine cannot be reached. */
function renderAdvice(error: unknown, { address }: Engine): string {
  const isDenied = error instanceof Error && "code" in error &&
    error.code === "EACCES";
  return isDenied
    ? `Add this user to the group of the socket, in a container with --group-add "$(stat -c %g ${address})"`
    : "Start it, or set docker_host";
}

/** Podman accepts the option that separates the containers of a network, and ignores it. */
const PODMAN_NETWORKS: CheckResult = {
  name: "network",
  status: "warn",
  detail:
    "Podman does not separate the containers of a network, so that sessions whose egress is open can reach each other's browsers: limit the pool's egress",
};

/** Checks that the addresses of containers can be reached, if they are used. The network may not exist yet. */
async function checkReach(
  engine: Engine,
  config: DockerConfig,
  info: EngineInfo,
): Promise<readonly CheckResult[]> {
  if (info.isPodman) return [PODMAN_NETWORKS];
  if (!expectsAddress(config, info)) return [];
  const problem = await findReachProblem(engine, config.network)
    .catch((error) => {
      if (engineStatus(error) !== 404) throw error;
      return findReachProblem(engine, "bridge");
    });
  return [
    problem === undefined
      ? {
        name: "network",
        status: "ok",
        detail: "The addresses of browsers can be reached",
      }
      : {
        name: "network",
        status: "fail",
        detail: `Cannot reach browsers: ${problem}`,
      },
  ];
}

function checkInit({ hasInit }: EngineInfo): CheckResult {
  return hasInit
    ? { name: "init", status: "ok", detail: "The engine has docker-init" }
    : {
      name: "init",
      status: "warn",
      detail:
        "The engine has no docker-init, so that only the project's own image reaps ended processes: install the package tini or docker-init",
    };
}

function checkLimits(info: EngineInfo): CheckResult {
  const missing = [
    !info.limitsCpu && "cpu",
    !info.limitsMemory && "memory",
    !info.limitsPids && "pids",
  ].filter((limit) => limit !== false);
  return missing.length === 0
    ? {
      name: "limits",
      status: "ok",
      detail: "The engine enforces cpu, memory and pids limits",
    }
    : {
      name: "limits",
      status: "warn",
      detail: `The engine cannot limit ${
        missing.join(", ")
      }: enable these cgroup controllers`,
    };
}

/** Parameters of an image's checks. */
interface ImageChecks {
  readonly name: string;
  readonly image: LocalImage | undefined;
  readonly info: EngineInfo;
  readonly seccompProfile: string;
  readonly reaper: ContainerReaper;
}

async function checkEgress(
  engine: Engine,
  config: DockerConfig,
  { name, image, ...rest }: ImageChecks,
): Promise<CheckResult> {
  const result = (status: CheckResult["status"], detail: string) => ({
    name: "egress",
    status,
    detail,
  });
  const consequence =
    "sessions of client keys do not start unless the pool's egress is open";
  if (!image) {
    return result("warn", "Cannot check egress limits without the image");
  }
  if (!image.enforcesEgress) {
    return result(
      "warn",
      `Image ${name} cannot enforce egress limits, so that ${consequence}: build it with this version's "browsergrid docker build-image"`,
    );
  }
  if (sharesItsNetwork(config.network)) {
    return result(
      "warn",
      `Network ${config.network} is shared with the host or another container, so that ${consequence}`,
    );
  }
  return await probeEgress(engine, config, { image: name, ...rest })
    ? result("ok", "Containers enforce the pool's egress")
    : result(
      "warn",
      `Containers cannot enforce the pool's egress, so that ${consequence}: the engine or the kernel does not allow nftables`,
    );
}

async function checkSandbox(
  engine: Engine,
  config: DockerConfig,
  { name, image, ...rest }: ImageChecks,
): Promise<CheckResult> {
  const result = (status: CheckResult["status"], detail: string) => ({
    name: "sandbox",
    status,
    detail,
  });
  if (config.sandbox === "off") {
    return result("warn", "Chromium's sandbox is off by the pool's setting");
  }
  if (!image) {
    return result("warn", "Cannot check Chromium's sandbox without the image");
  }
  if (!image.isProjectImage) {
    return result(
      "warn",
      `Image ${name} is not the project's, so that it is started with --no-sandbox unless sandbox is "on"`,
    );
  }
  if (
    await probeSandbox(engine, config, { image: name, ...rest })
  ) {
    return result("ok", "Chromium's sandbox is on");
  }
  return result(
    config.sandbox === "on" ? "fail" : "warn",
    "Chromium's sandbox is off: the engine or the kernel does not allow containers to create user namespaces",
  );
}
