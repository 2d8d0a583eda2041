import { z } from "zod";
import { type Command, defineCommand } from "../command.ts";
import { connectClient } from "../config.ts";
import { word } from "../options/argument_types.ts";
import { flag, numberText, text } from "../options/option_types.ts";
import { clientOptions } from "../options/shared_options.ts";
import { renderSeconds } from "../print_record.ts";

/** Results after which the program can go on. */
const SUCCESSES: readonly string[] = ["done", "condition_met"];

/** `browsergrid session handover`. */
export const handoverCommand: Command = defineCommand({
  name: "handover",
  description: "Ask a person to take control of a session",
  arguments: { session: word("id") },
  options: () =>
    z.object({
      ...clientOptions(),
      reason: z.string().meta({
        flags: "--reason <text>",
        description: "what the person is to do",
      }),
      timeout: numberText().optional().meta({
        flags: "--timeout <seconds>",
        description: "time until the request ends without the person (600)",
      }),
      until_url: text(
        "--until-url <pattern>",
        "end as soon as a page has this URL; * stands for any text",
      ),
      until_selector: text(
        "--until-selector <css>",
        "end as soon as a page has this element",
      ),
      hold: flag("--hold", "reject commands of clients until it ends"),
      wait: flag("--wait", "wait until the request has ended"),
    }),
  examples: [
    'session handover SESSION --reason "Please sign in" --wait',
    'session handover SESSION --reason "Sign in" --until-url "*/account*"',
  ],
  notes:
    `The link for the person is shown only once. With --wait the exit code is 0 if
the person was done or the condition was met, otherwise 1.`,
  async run({ session, ...options }, { output }) {
    const { until_url: url, until_selector: selector } = options;
    const hasCondition = url !== undefined || selector !== undefined;
    const client = await connectClient(options, output);
    const created = await client.requestHandover(session, {
      reason: options.reason,
      timeout_seconds: options.timeout,
      ...(hasCondition ? { until: { url, selector } } : {}),
      hold: options.hold,
    });
    if (!options.wait && options.json) return output.json(created);
    output.progress(
      `A person has control until ${renderSeconds(created.expires_at)}`,
    );
    if (!options.wait) {
      return output.print(created.live_url ?? created.id);
    }
    if (created.live_url !== null) output.progress(created.live_url);
    const ended = await client.waitForHandover(session);
    if (options.json) output.json(ended);
    else {
      output.print(
        ended.note === null ? ended.status : `${ended.status}: ${ended.note}`,
      );
    }
    return SUCCESSES.includes(ended.status) ? 0 : 1;
  },
});
