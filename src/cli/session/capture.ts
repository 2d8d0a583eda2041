/**
 * `browsergrid session screenshot`, `pdf` and `content`: looks at a session's page.
 *
 * @module
 */
import { Command } from "@commander-js/extra-typings";
import type { GridClient } from "../../client/client.ts";
import {
  type ClientFlags,
  withClientOptions,
} from "../options/client_flags.ts";
import { clientFrom } from "../config.ts";
import { examples, UsageError } from "../help.ts";
import type { Output } from "../output.ts";
import { suggested } from "../options/suggested.ts";

/** Flags of all three. */
interface LookFlags extends ClientFlags {
  readonly output?: string;
  readonly target?: string;
}

interface ScreenshotFlags extends LookFlags {
  readonly format?: "png" | "jpeg" | "webp";
  readonly quality?: string;
  readonly fullPage?: boolean;
}

interface PdfFlags extends LookFlags {
  readonly format?: "a3" | "a4" | "a5" | "letter" | "legal" | "tabloid";
  readonly width?: string;
  readonly height?: string;
  readonly landscape?: boolean;
  readonly printBackground?: boolean;
  readonly scale?: string;
}

/** What a command is for, and how its look is taken. */
interface Look<F extends LookFlags> {
  readonly name: string;
  readonly description: string;
  readonly examples: readonly string[];
  take(client: GridClient, id: string, flags: F): Promise<Uint8Array>;
}

/** `browsergrid session screenshot`. */
export function screenshotCommand(output: Output): Command {
  const command = lookCommand<ScreenshotFlags>(output, {
    name: "screenshot",
    description: "Take a picture of a session's page",
    examples: [
      "session screenshot SESSION --output page.png",
      "session screenshot SESSION --full-page --format jpeg --output page.jpg",
    ],
    take: (client, id, flags) =>
      client.sessionScreenshot(id, {
        target_id: flags.target,
        format: flags.format,
        quality: numberOf(flags.quality),
        full_page: flags.fullPage,
      }),
  });
  command
    .addOption(
      suggested(
        "--format <name>",
        "of the picture (png); webp: at most 16383 pixels per side",
        [
          "png",
          "jpeg",
          "webp",
        ],
      ),
    )
    .option("--quality <percent>", "of jpeg and webp")
    .option("--full-page", "the whole page, and not only what is in view");
  return command;
}

/** `browsergrid session pdf`. */
export function pdfCommand(output: Output): Command {
  const command = lookCommand<PdfFlags>(output, {
    name: "pdf",
    description: "Print a session's page as PDF",
    examples: [
      "session pdf SESSION --output page.pdf",
      "session pdf SESSION --format a4 --landscape --print-background --output page.pdf",
    ],
    take: (client, id, flags) =>
      client.sessionPdf(id, {
        target_id: flags.target,
        format: flags.format,
        width: numberOf(flags.width),
        height: numberOf(flags.height),
        landscape: flags.landscape,
        print_background: flags.printBackground,
        scale: numberOf(flags.scale),
      }),
  });
  command
    .addOption(
      suggested("--format <name>", "size of the paper (letter)", [
        "a3",
        "a4",
        "a5",
        "letter",
        "legal",
        "tabloid",
      ]),
    )
    .option("--width <inches>", "of the paper, in place of the format's")
    .option("--height <inches>", "of the paper, in place of the format's")
    .option("--landscape", "the paper lies on its long side")
    .option("--print-background", "backgrounds are printed, too")
    .option("--scale <number>", "size of what is printed, 0.1 to 2 (1)");
  return command;
}

/** `browsergrid session content`. */
export function contentCommand(output: Output): Command {
  return lookCommand(output, {
    name: "content",
    description: "Get the HTML of a session's page as it is now",
    examples: [
      "session content SESSION",
      "session content SESSION --output page.html",
    ],
    take: async (client, id, { target }) =>
      new TextEncoder().encode(
        await client.sessionContent(id, { target_id: target }),
      ),
  });
}

function lookCommand<F extends LookFlags>(
  output: Output,
  look: Look<F>,
): Command {
  const command = withClientOptions(new Command(look.name))
    .description(look.description)
    .argument("<session>", "id")
    .option("--output <file>", "where to; else it is printed")
    .option("--target <id>", "which page (the one that was used last)")
    .addHelpText("after", examples(look.examples));
  command.action(async (id, given) => {
    const flags = given as F; // With the options that are added to it.
    // Before the browser has done it for nothing.
    checkGoal(look, flags, output);
    const client = await clientFrom(flags, output);
    const bytes = await look.take(client, id, flags);
    if (flags.output === undefined) return output.bytes(bytes);
    await Deno.writeFile(flags.output, bytes);
    const saved = { file: flags.output, bytes: bytes.length };
    if (flags.json) output.json(saved);
    else output.print(`Saved ${saved.file} (${saved.bytes} bytes)`);
  });
  return command as unknown as Command; // Without the types of its own arguments.
}

/** @throws {UsageError} If what comes could not be read where it would be printed. */
function checkGoal<F extends LookFlags>(
  { name }: Look<F>,
  flags: F,
  { isTerminal }: Output,
): void {
  if (flags.output !== undefined) return;
  if (flags.json) {
    throw new UsageError(
      `Cannot print a ${name} as JSON: expected --output FILE with --json`,
    );
  }
  if (isTerminal && name !== "content") {
    throw new UsageError(
      `Cannot print a ${name} on a terminal: expected --output FILE, or a pipe`,
    );
  }
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
