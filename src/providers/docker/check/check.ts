import type { CheckResult } from "../../../core/provider.ts";
import type { DockerConfig } from "../config.ts";
import type { ContainerReaper } from "../container/reaper.ts";
import type { Engine } from "../engine/engine.ts";
import { engineMessage } from "../engine/engine_error.ts";
import { type EngineInfo, inspectEngine } from "../engine/environment.ts";
import { findImage, type LocalImage } from "../images/image.ts";
import { expandImageName } from "../images/image_name.ts";
import { sharesItsNetwork } from "../network/egress.ts";
import { probeEgress, probeSandbox } from "./sandbox_probe.ts";

/** Checks engine, image, limits, sandbox and egress. Starts no browser; sandbox and egress are tested in trial containers. */
export async function checkDocker(
  engine: Engine,
  config: DockerConfig,
  reaper: ContainerReaper,
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
      }. Start it, or set docker_host`,
    }];
  }
  const name = expandImageName(config.image);
  const image = await findImage(engine, name);
  return [
    {
      name: "engine",
      status: "ok",
      detail: `Docker engine ${info.version} at ${engine.address}`,
    },
    checkImage(name, image, config),
    checkInit(info),
    checkLimits(info),
    await checkSandbox(engine, config, { name, image, info, reaper }),
    await checkEgress(engine, config, { name, image, info, reaper }),
  ];
}

function checkImage(
  name: string,
  image: LocalImage | undefined,
  { pull }: DockerConfig,
): CheckResult {
  if (image) {
    return { name: "image", status: "ok", detail: `Image ${name} is present` };
  }
  return pull === "never"
    ? {
      name: "image",
      status: "fail",
      detail:
        `Image ${name} is missing: build it with "browsergrid docker build-image"`,
    }
    : {
      name: "image",
      status: "warn",
      detail:
        `Image ${name} is missing and will be pulled; "browsergrid docker build-image" builds the project's own`,
    };
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
  readonly reaper: ContainerReaper;
}

async function checkEgress(
  engine: Engine,
  config: DockerConfig,
  { name, image, info, reaper }: ImageChecks,
): Promise<CheckResult> {
  const result = (status: CheckResult["status"], detail: string) => ({
    name: "egress",
    status,
    detail,
  });
  const rest =
    "sessions of client keys do not start unless the pool's egress is open";
  if (!image) {
    return result("warn", "Cannot check egress limits without the image");
  }
  if (!image.enforcesEgress) {
    return result(
      "warn",
      `Image ${name} cannot enforce egress limits, so that ${rest}: build it with this version's "browsergrid docker build-image"`,
    );
  }
  if (sharesItsNetwork(config.network)) {
    return result(
      "warn",
      `Network ${config.network} is shared with the host or another container, so that ${rest}`,
    );
  }
  return await probeEgress(engine, config, {
      image: name,
      info,
      reaper,
    })
    ? result("ok", "Containers enforce the pool's egress")
    : result(
      "warn",
      `Containers cannot enforce the pool's egress, so that ${rest}: the engine or the kernel does not allow nftables`,
    );
}

async function checkSandbox(
  engine: Engine,
  config: DockerConfig,
  { name, image, info, reaper }: ImageChecks,
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
    await probeSandbox(engine, config, { image: name, info, reaper })
  ) {
    return result("ok", "Chromium's sandbox is on");
  }
  return result(
    config.sandbox === "on" ? "fail" : "warn",
    "Chromium's sandbox is off: the engine or the kernel does not allow containers to create user namespaces",
  );
}
