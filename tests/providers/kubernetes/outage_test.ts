import { browserSpec } from "../../support/browser_spec.ts";
import { dockerMissing } from "../../support/docker.ts";
import { openClusterMachine } from "../../support/kubernetes/machine.ts";
import { testProviderFaults } from "../../support/provider_faults.ts";

testProviderFaults("kubernetes", {
  open: openClusterMachine,
  spec: browserSpec,
  skip: dockerMissing,
});
