import type { BrowserSpec } from "../../core/browser_spec.ts";
import { quoteArgument } from "../kit/quote_argument.ts";
import type { KubernetesConfig } from "./config.ts";
import { createComponentLabels } from "./pod/labels.ts";
import { createSessionPod } from "./pod/template.ts";

/** Name of the pod that the command starts. */
const NAME = "browsergrid-session";

/**
 * Renders the `kubectl` command that starts the same browser. Values of variables are shown as `...`.
 */
export function renderRunCommand(
  spec: BrowserSpec,
  config: KubernetesConfig,
): string {
  const { pod } = createSessionPod(spec, config, {
    name: NAME,
    labels: createComponentLabels("browser"),
    owner: undefined,
    gridAddresses: [],
  });
  const [container] = pod.spec?.containers ?? [];
  const env = container?.env?.map(({ name, value }) => ({
    name,
    value: value ?? "\u2026",
  }));
  const manifest = JSON.stringify({
    ...pod,
    spec: { ...pod.spec, containers: [{ ...container, env }] },
  });
  return [
    `printf %s ${quoteArgument(manifest)} | kubectl`,
    ...(config.kubeconfig === undefined
      ? []
      : [`--kubeconfig ${quoteArgument(config.kubeconfig)}`]),
    ...(config.context === undefined
      ? []
      : [`--context ${quoteArgument(config.context)}`]),
    ...(config.namespace === undefined
      ? []
      : [`--namespace ${config.namespace}`]),
    "apply --filename -",
  ].join(" ");
}
