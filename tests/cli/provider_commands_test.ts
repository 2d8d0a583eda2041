import assert from "node:assert/strict";
import { z } from "@hono/zod-openapi";
import { InterruptedError } from "../../src/cli/exit.ts";
import { createProgram } from "../../src/cli/program.ts";
import {
  defineProviderCommand,
  type ProviderCommand,
} from "../../src/core/provider.ts";
import { local } from "../../src/providers/local/provider.ts";
import type { Output } from "../../src/cli/output.ts";
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
    await runCommand(greet, args, output);
  }
  assert.deepEqual(printed, ["Hello, you", { result: "Hello, all" }]);
});

Deno.test("a command of a provider ends with 130 if Ctrl+C stops it", async () => {
  const slow = defineProviderCommand({
    name: "wait",
    description: "Wait",
    optionsSchema: z.strictObject({}),
    run: (_, { signal }) =>
      new Promise((_resolve, reject) => {
        // The listener of the signal does not keep the program running.
        const awake = setInterval(() => {}, 10);
        signal.addEventListener("abort", () => {
          clearInterval(awake);
          reject(signal.reason);
        });
        // Not SIGINT, which the runner of the tests takes for itself.
        Deno.kill(Deno.pid, "SIGTERM");
      }),
  });
  await assert.rejects(runCommand(slow, ["wait"], silent), InterruptedError);
});

/** Runs a command of a provider that has only this one. */
async function runCommand(
  command: ProviderCommand,
  args: readonly string[],
  output: Output,
): Promise<void> {
  const providers = [{ ...local, commands: [command] }];
  const program = createProgram({
    output,
    commandProviders: providers,
    loadProviders: () => Promise.resolve(providers),
    loadInstalled: () => Promise.reject(new Error("Not needed")),
  });
  await program.parseAsync([local.name, ...args], { from: "user" });
}
