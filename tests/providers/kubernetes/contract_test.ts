import { browserSpec } from "../../support/browser_spec.ts";
import { dockerMissing } from "../../support/docker.ts";
import { openClusterMachine } from "../../support/kubernetes/machine.ts";
import { testProvider } from "../../support/provider_contract.ts";

testProvider("kubernetes", {
  open: openClusterMachine,
  spec: browserSpec,
  skip: dockerMissing,
}, {
  "prepare() rejects with the reason of its signal":
    "nodes pull images, and only for pods",
});
