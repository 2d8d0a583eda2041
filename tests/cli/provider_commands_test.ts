import assert from "node:assert/strict";
import { z } from "@hono/zod-openapi";
import { InterruptedError } from "../../src/cli/help.ts";
import { providerCommands } from "../../src/cli/provider_commands.ts";
import { defineProviderCommand } from "../../src/core/provider.ts";
import { local } from "../../src/providers/local/provider.ts";
import { silent } from "../support/silent_output.ts";

Deno.test("a provider's command prints what it returns, with --json as JSON", async () => {
  const printed: unknown[] = [];
  const output = {
    ...silent,
    print: (line: string) => void printed.push(line),
    json: (value: unknown) => void printed.push(value),
  };
  const greet = defineProviderCommand({
    name: "greet",
    description: "Greet",
    optionsSchema: z.strictObject({
      whom: z.string().default("you").describe("Who is greeted"),
    }),
    run: ({ whom }) => Promise.resolve(`Hello, ${whom}`),
  });
  for (const args of [["greet"], ["greet", "--whom", "all", "--json"]]) {
    const [group] = providerCommands(
      [{ ...local, commands: [greet] }],
      output,
    );
    await group?.parseAsync(args, { from: "user" });
  }
  assert.deepEqual(printed, ["Hello, you", { result: "Hello, all" }]);
});

Deno.test("a command of a provider that Ctrl+C stops ends with 130", async () => {
  const slow = defineProviderCommand({
    name: "wait",
    description: "Wait",
    optionsSchema: z.strictObject({}),
    run: (_, { signal }) =>
      new Promise((_resolve, reject) => {
        // The listener of the signal keeps no program alive by itself.
        const awake = setInterval(() => {}, 10);
        signal.addEventListener("abort", () => {
          clearInterval(awake);
          reject(signal.reason);
        });
        // Not SIGINT, which the runner of the tests takes for itself.
        Deno.kill(Deno.pid, "SIGTERM");
      }),
  });
  const [command] = providerCommands([{ ...local, commands: [slow] }], silent);
  assert.ok(command);
  await assert.rejects(
    command.parseAsync(["wait"], { from: "user" }),
    InterruptedError,
  );
});
