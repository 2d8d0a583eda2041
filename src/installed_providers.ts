/** Built-in providers, one line each. They are listed apart from the apps, because every command lists them. */
import type { Provider } from "./core/provider.ts";
import { azureContainerInstance } from "./providers/azure_container_instance/provider.ts";
import { docker } from "./providers/docker/provider.ts";
import { kubernetes } from "./providers/kubernetes/provider.ts";
import { local } from "./providers/local/provider.ts";

/** Providers in the order of `pool create --help`. Only workers open them. */
export const PROVIDERS: readonly Provider[] = [
  local,
  docker,
  kubernetes,
  azureContainerInstance,
];
