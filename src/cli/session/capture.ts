/**
 * `browsergrid session screenshot`, `pdf` and `content`: captures the page of a session.
 *
 * @module
 */
import { z } from "zod";
import type { GridClient } from "../../client/client.ts";
import { type Command, defineCommand } from "../command.ts";
import { type CommonOptions, connectClient } from "../config.ts";
import { UsageError } from "../exit.ts";
import { word } from "../options/argument_types.ts";
import { flag, numberText, text } from "../options/option_types.ts";
import { clientOptions } from "../options/shared_options.ts";
import type { Output } from "../output.ts";

/** `browsergrid session screenshot`. */
export const screenshotCommand: Command = defineCommand({
  name: "screenshot",
  description: "Capture a session's page as a picture",
  arguments: { session: word("id") },
  options: () =>
    z.object({
      ...captureOptions(),
      format: choice(["png", "jpeg", "webp"], {
        description:
          "format of the picture (png); webp: at most 16383 pixels per side",
      }),
      quality: numberText().optional().meta({
        flags: "--quality <percent>",
        description: "quality of jpeg and webp",
      }),
      full_page: flag("--full-page", "the whole page, not only the viewport"),
    }),
  examples: [
    "session screenshot SESSION --output page.png",
    "session screenshot SESSION --full-page --format jpeg --output page.jpg",
  ],
  run: ({ session, ...options }, { output }) =>
    capture(
      "screenshot",
      options,
      output,
      (client) =>
        client.getSessionScreenshot(session, {
          target_id: options.target,
          format: options.format,
          quality: options.quality,
          full_page: options.full_page,
        }),
    ),
});

/** `browsergrid session pdf`. */
export const pdfCommand: Command = defineCommand({
  name: "pdf",
  description: "Print a session's page as PDF",
  arguments: { session: word("id") },
  options: () =>
    z.object({
      ...captureOptions(),
      format: choice(["a3", "a4", "a5", "letter", "legal", "tabloid"], {
        description: "size of the paper (letter)",
      }),
      width: inches("--width <inches>"),
      height: inches("--height <inches>"),
      landscape: flag("--landscape", "print in landscape orientation"),
      print_background: flag("--print-background", "print backgrounds too"),
      scale: numberText().optional().meta({
        flags: "--scale <number>",
        description: "scale of the page, 0.1 to 2 (1)",
      }),
    }),
  examples: [
    "session pdf SESSION --output page.pdf",
    "session pdf SESSION --format a4 --landscape --print-background --output page.pdf",
  ],
  run: ({ session, ...options }, { output }) =>
    capture("pdf", options, output, (client) =>
      client.getSessionPdf(session, {
        target_id: options.target,
        format: options.format,
        width: options.width,
        height: options.height,
        landscape: options.landscape,
        print_background: options.print_background,
        scale: options.scale,
      })),
});

/** `browsergrid session content`. */
export const contentCommand: Command = defineCommand({
  name: "content",
  description: "Get the current HTML of a session's page",
  arguments: { session: word("id") },
  options: () => z.object(captureOptions()),
  examples: [
    "session content SESSION",
    "session content SESSION --output page.html",
  ],
  run: ({ session, ...options }, { output }) =>
    capture("content", options, output, async (client) => {
      const query = { target_id: options.target };
      return new TextEncoder().encode(
        await client.getSessionContent(session, query),
      );
    }),
});

function captureOptions() {
  return {
    ...clientOptions(),
    output: text("--output <file>", "where to write it; else it is printed"),
    target: text(
      "--target <id>",
      "id of the page (default: the last used one)",
    ),
  };
}

/** Declares `--format`. The server rejects other words. */
function choice<const T extends string>(
  suggestions: readonly T[],
  { description }: { readonly description: string },
) {
  return z.custom<T>((value) => typeof value === "string").optional().meta({
    flags: "--format <name>",
    description,
    suggestions,
  });
}

function inches(flags: string) {
  return numberText().optional().meta({
    flags,
    description: "of the paper, in place of the format's",
  });
}

interface CaptureOptions extends CommonOptions {
  /** File that the capture is written to. */
  readonly output?: string | undefined;
}

async function capture(
  name: string,
  options: CaptureOptions,
  output: Output,
  take: (client: GridClient) => Promise<Uint8Array>,
): Promise<void> {
  // Checked before a request is sent.
  checkDestination(name, options, output);
  const client = await connectClient(options, output);
  const bytes = await take(client);
  if (options.output === undefined) return output.bytes(bytes);
  await Deno.writeFile(options.output, bytes);
  const saved = { file: options.output, bytes: bytes.length };
  if (options.json) output.json(saved);
  else output.print(`Saved ${saved.file} (${saved.bytes} bytes)`);
}

/** @throws {UsageError} If the capture cannot be read where it would be printed. */
function checkDestination(
  name: string,
  options: CaptureOptions,
  { isTerminal }: Output,
): void {
  if (options.output !== undefined) return;
  if (options.json) {
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
