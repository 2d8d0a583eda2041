import { openAzureMachine } from "../../support/azure/azure_machine.ts";
import { browserSpec } from "../../support/browser_spec.ts";
import { dockerMissing } from "../../support/docker.ts";
import { testProvider } from "../../support/provider_contract.ts";

testProvider("azure_container_instance", {
  open: openAzureMachine,
  spec: browserSpec,
  interruptions: 2,
  skip: dockerMissing,
}, {
  "prepare() makes the next start possible":
    "Azure pulls the image during the start",
  "prepare() rejects with the reason of its signal":
    "Azure pulls the image during the start",
  "logs() and stats() return output and resource use of the browser":
    "Azure measures groups in Azure Monitor only",
});
