/**
 * A plugin with two providers: "process_machines", whose machines are processes on this host, and "instant", with which
 * their workers start browsers that are entries in a list.
 *
 * @module
 */
import { z } from "@hono/zod-openapi";
import { defineProvider } from "../../src/core/provider.ts";
import { definePlugin } from "../../src/plugin/plugin.ts";
import { createFakeProvider } from "./fake_provider.ts";
import { ProcessMachineHost } from "./process_machine_host.ts";

const instant = { ...createFakeProvider(), name: "instant" };

const processMachines = defineProvider({
  name: "process_machines",
  displayName: "Processes",
  description: "Workers that are processes on this host",
  configSchema: z.strictObject({
    folder: z.string().describe("Folder of the machines"),
    hold_file: z.string().optional().describe("Delays responses of starts"),
    capacity: z.number().default(8).describe("Capacity of a machine"),
    unit: z.enum(["worker", "none"]).default("worker").describe(
      "Whether the server starts the workers",
    ),
  }),
  browsers: () => [{ browser: "chrome", versions: ["latest"] }],
  deployCommand: () => "true",
  machines: ({ folder, hold_file: holdFile, capacity, unit }) =>
    unit === "none" ? undefined : {
      capacity,
      place: folder,
      startTimeoutSeconds: 60,
      isOnServerHost: true,
      browsers: { provider: "instant", config: {} },
      open: ({ poolId }) =>
        Promise.resolve(new ProcessMachineHost({ folder, poolId, holdFile })),
    },
  open: (_config, info) => instant.open({}, info),
});

export default definePlugin({
  name: "process_machines",
  providers: [instant, processMachines],
});
