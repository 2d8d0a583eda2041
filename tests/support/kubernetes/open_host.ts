import { kubernetes } from "../../../src/providers/kubernetes/provider.ts";
import type { BrowserHost } from "../../../src/core/provider.ts";
import { temporaryFolder } from "../temporary_folder.ts";

/** Opens a host of the provider with a data folder of its own. Disposal ends the host and removes the folder. */
export async function openHost(
  config: Readonly<Record<string, unknown>>,
): Promise<AsyncDisposable & { readonly host: BrowserHost }> {
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await temporaryFolder());
  const host = opened.use(
    await kubernetes.open(kubernetes.configSchema.parse(config), {
      gridId: "grid-1",
      workerId: "worker-1",
      dataDir: path,
    }),
  );
  const moved = opened.move();
  return { host, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}
