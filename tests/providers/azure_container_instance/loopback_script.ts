/**
 * Uses every part of the provider in a process that may connect to one address only. Prints the result of each sign-in.
 *
 * @module
 */
import { azureContainerInstance } from "../../../src/providers/azure_container_instance/provider.ts";
import { browserSpec } from "../../support/browser_spec.ts";

const NEVER = new AbortController().signal;

const given: unknown = JSON.parse(Deno.args[0] ?? "{}");

async function use(auth: string): Promise<string> {
  const parse = (unit: string) =>
    azureContainerInstance.configSchema.parse({
      ...Object(given),
      auth,
      unit,
      start_timeout_seconds: 1,
    });
  await using host = await azureContainerInstance.open(parse("session"), {
    gridId: "grid-1",
    workerId: "worker-1",
    dataDir: "",
  });
  await host.ping?.(NEVER);
  const failed = (await host.check()).filter(({ status }) => status === "fail");
  if (failed.length > 0) return JSON.stringify(failed);
  await host.adopt();
  const reason = await host.start(browserSpec(), "s", NEVER).then(
    () => "it started",
    (error: Error) => error.message,
  );
  if (!/did not run within 1 s/.test(reason)) return reason;
  await host.sweep(new Set());
  const machines = await azureContainerInstance.machines?.(parse("worker"))
    ?.open({ gridId: "grid-1", poolId: "pool-1" });
  if (!machines) return "no machines";
  await using _machines = machines;
  const machine = {
    workerId: crypto.randomUUID(),
    serverUrl: "http://x",
    capacity: 4,
  };
  await machines.start(machine, NEVER);
  await machines.list(NEVER);
  await machines.remove(machine.workerId, NEVER);
  return "ok";
}

// deno-lint-ignore no-console -- the result of the process
console.log(JSON.stringify({
  client_secret: await use("client_secret"),
  managed_identity: await use("managed_identity"),
}));
