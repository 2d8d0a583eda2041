import { openAzureMachine } from "../../support/azure/azure_machine.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { dockerMissing } from "../../support/docker.ts";
import { testProviderFaults } from "../../support/provider_faults.ts";

testProviderFaults("azure_container_instance", {
  open: openAzureMachine,
  spec: browserSpec,
  interruptions: 2,
  skip: dockerMissing,
}, {
  "a browser responds during an outage of the infrastructure, and its death is reported afterwards":
    "an outage of Azure's API does not end browsers, and is not their reason",
});
