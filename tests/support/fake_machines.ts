import { z } from "@hono/zod-openapi";
import type { Provider } from "../../src/core/provider.ts";
import type {
  Machine,
  MachineHostInfo,
  MachineSpec,
} from "../../src/core/provider/machines.ts";

/** Knobs of the fake infrastructure; a test may turn them at any time. */
export interface MachineKnobs {
  /** Error of the next starts. */
  startError?: Error | undefined;
  /** The next starts come about, but their response is lost. */
  losesResponse?: boolean;
  /** Awaited by every start before it comes about. */
  hold?: Promise<void> | undefined;
  /** Error of the next removals. */
  removeError?: Error | undefined;
  /** Machines that the next lists do not show. */
  readonly unlisted: Set<string>;
  /** Places of which lists and removals fail. */
  readonly lostPlaces: Set<string>;
  /** Text of `logs()`. */
  output?: string | undefined;
  /** Capacity of each machine. @default {4} */
  capacity: number;
  isOnServerHost: boolean;
}

/** Machines that are only entries in a list. Their workers are registered by the test. */
export interface FakeMachines {
  readonly provider: Provider;
  readonly knobs: MachineKnobs;
  /** Machines that are there, by worker id. */
  readonly machines: Map<string, Machine>;
  /** Every call of `start()`. */
  readonly starts: readonly MachineSpec[];
  /** Resolves with the next call of `start()`. */
  nextStart(): Promise<void>;
  /** Worker id of every call of `remove()`. */
  readonly removals: readonly string[];
  /** Every opened connection. */
  readonly opened: readonly MachineHostInfo[];
  /** Number of connections that are open now. */
  openCount(): number;
}

/** Makes a provider named "machines". */
export function createFakeMachines(): FakeMachines {
  const machines = new Map<string, Machine>();
  const starts: MachineSpec[] = [];
  const removals: string[] = [];
  const opened: MachineHostInfo[] = [];
  let open = 0;
  let onStart = () => {};
  const knobs: MachineKnobs = {
    unlisted: new Set(),
    lostPlaces: new Set(),
    capacity: 4,
    isOnServerHost: true,
  };
  /** Places of the machines that were started, by worker id. */
  const places = new Map<string, string>();
  const isAt = (workerId: string, place: string) =>
    (places.get(workerId) ?? place) === place;
  const requirePlace = (place: string) =>
    knobs.lostPlaces.has(place)
      ? Promise.reject(new Error(`no place ${place}`))
      : Promise.resolve();
  const configSchema = z.strictObject({
    unit: z.enum(["worker", "session"]).default("worker").describe("Unit"),
    token: z.string().default("").describe("Secret"),
    place: z.string().default("here").describe("Place of the machines"),
  });
  const provider: Provider<typeof configSchema> = {
    name: "machines",
    displayName: "Machines",
    description: "Machines that are entries in a list",
    configSchema,
    browsers: () => [{ browser: "chrome", versions: ["latest"] }],
    deployCommand: () => "true",
    open: () => Promise.reject(new Error("No worker opens it")),
    machines: ({ unit, place }) =>
      unit === "session" ? undefined : {
        capacity: knobs.capacity,
        place,
        startTimeoutSeconds: 120,
        isOnServerHost: knobs.isOnServerHost,
        browsers: { provider: "machines", config: {} },
        open(info) {
          opened.push(info);
          open++;
          return Promise.resolve({
            async start(spec) {
              starts.push(spec);
              onStart();
              await knobs.hold;
              if (knobs.startError) throw knobs.startError;
              const { workerId } = spec;
              machines.set(workerId, { workerId, status: "starting" });
              places.set(workerId, place);
              if (knobs.losesResponse) throw new Error("connection reset");
            },
            async list() {
              await requirePlace(place);
              return [...machines.values()].filter(({ workerId }) =>
                !knobs.unlisted.has(workerId) && isAt(workerId, place)
              );
            },
            async remove(workerId) {
              removals.push(workerId);
              await requirePlace(place);
              if (knobs.removeError) throw knobs.removeError;
              // A machine that is not there counts as removed.
              if (isAt(workerId, place)) machines.delete(workerId);
            },
            logs: () => Promise.resolve(knobs.output ?? ""),
            [Symbol.asyncDispose]() {
              open--;
              return Promise.resolve();
            },
          });
        },
      },
  };
  return {
    provider,
    knobs,
    machines,
    starts,
    nextStart: () => new Promise((resolve) => onStart = resolve),
    removals,
    opened,
    openCount: () => open,
  };
}
