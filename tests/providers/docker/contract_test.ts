import { browserSpec } from "../../support/browser_spec.ts";
import { docker, dockerMissing, listContainers } from "../../support/docker.ts";
import { openDockerMachine } from "../../support/docker_machine.ts";
import { testProvider } from "../../support/provider_contract.ts";
import { testProviderFaults } from "../../support/provider_faults.ts";
import type { ProviderUnderTest } from "../../support/provider_machine.ts";

const provider: ProviderUnderTest = {
  open: () =>
    openDockerMachine({
      docker,
      listContainers,
      psArguments: "-eo pid,args",
    }),
  spec: browserSpec,
  skip: dockerMissing,
};

testProvider("docker", provider);
testProviderFaults("docker", provider);
