import { z } from "zod";
import type { GridClient, SessionLogPart } from "../../client/client.ts";
import { escapeJson } from "../../core/text.ts";
import { type Command, defineCommand } from "../command.ts";
import { connectClient } from "../config.ts";
import { word } from "../options/argument_types.ts";
import { flag } from "../options/option_types.ts";
import { clientOptions } from "../options/shared_options.ts";
import type { Output } from "../output.ts";
import { Shutdown } from "../shutdown.ts";

/** Maximum length of a line that the browser has not ended yet. A longer one is printed in pieces. */
const MAX_LINE = 65_536;

/** `browsergrid session logs`. */
export const logsCommand: Command = defineCommand({
  name: "logs",
  description: "Show or follow the output of a session's browser",
  arguments: { session: word("id") },
  options: () =>
    z.object({
      ...clientOptions(),
      follow: flag(
        "-f, --follow",
        "print the last lines and then new ones, until the session has ended",
      ),
    }),
  examples: [
    "session logs SESSION",
    "session logs SESSION --follow",
    "session logs SESSION --json",
  ],
  notes:
    `Without --follow, output is shown once the browser has ended. With it, Ctrl+C
ends the command with code 0, a lost connection is opened again, and --json
prints a part of the output a line.`,
  async run({ session, follow, json = false, ...options }, { output }) {
    const client = await connectClient(options, output);
    if (follow) return await followLogs(client, session, { json, output });
    const logs = await client.getSessionLogs(session);
    if (json) return output.json({ logs });
    if (logs.trim() !== "") return output.print(logs.trimEnd());
    output.progress(
      "No output is stored; it is stored when a browser ends, see --follow",
    );
  },
});

/** Prints the output of a session until it has ended, or until a signal. */
async function followLogs(
  client: GridClient,
  session: string,
  { json, output }: { readonly json: boolean; readonly output: Output },
): Promise<void> {
  using shutdown = Shutdown.listen();
  const signal = shutdown.stop;
  const lines = new LogLines(output);
  const parts = client.followSessionLogs(session, {
    signal,
    onLost: ({ message }) =>
      output.progress(`The connection is lost, reconnecting: ${message}`),
    onReconnect: () => output.progress("Connected again"),
  });
  try {
    for (;;) {
      const { done, value } = await parts.next();
      if (done) {
        lines.end();
        if (value && !json) {
          output.progress(`The session has ended: ${value.status}`);
        }
        return;
      }
      if (json) output.print(escapeJson(JSON.stringify(value)));
      else lines.print(value);
      if (output.isReaderGone) return;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await parts.return(undefined);
  }
}

/** Prints parts of output line by line. */
class LogLines {
  readonly #output: Output;
  /** A line that the browser has not ended yet. */
  #rest = "";
  #hasParts = false;

  constructor(output: Output) {
    this.#output = output;
  }

  print({ text, omitted_bytes, first }: SessionLogPart): void {
    if (omitted_bytes > 0 || first) this.end();
    if (omitted_bytes > 0) {
      this.#output.progress(`${omitted_bytes} bytes were left out`);
    } else if (first && this.#hasParts) {
      this.#output.progress("The last lines again:");
    }
    this.#hasParts = true;
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    if (lines.length > 0) this.#output.print(lines.join("\n"));
    if (this.#rest.length > MAX_LINE) this.end();
  }

  /** Prints the line that the browser has not ended. */
  end(): void {
    if (this.#rest !== "") this.#output.print(this.#rest);
    this.#rest = "";
  }
}
