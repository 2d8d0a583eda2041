/**
 * `browsergrid session live`, `live-links` and `revoke-live-link`.
 *
 * @module
 */
import { z } from "zod";
import { LINK_MODES } from "../../apps/live/status.ts";
import { type Command, defineCommand } from "../command.ts";
import { connectClient } from "../config.ts";
import { word } from "../options/argument_types.ts";
import { text } from "../options/option_types.ts";
import { clientOptions } from "../options/shared_options.ts";
import { renderSeconds } from "../print_record.ts";

/** `browsergrid session live`. */
export const liveCommand: Command = defineCommand({
  name: "live",
  description: "Create a link to the live view of a session for people",
  arguments: { session: word("id") },
  options: () =>
    z.object({
      ...clientOptions(),
      mode: z.enum(LINK_MODES).default("view").meta({
        flags: "--mode <mode>",
        description: "what the link permits",
      }),
      expires: z.string().transform(parseSeconds).optional().meta({
        flags: "--expires <time>",
        description:
          "time until the link ends: 30m, 8h, 7d (1h); with its session at the latest",
      }),
      note: text("--note <text>", "text for people, in the list of links"),
    }),
  examples: [
    "session live SESSION",
    "session live SESSION --mode control --expires 30m",
  ],
  notes:
    `People with the link need no key. It is shown only once: session live-links
lists links, and session revoke-live-link ends one.`,
  async run({ session, mode, expires, note, ...options }, { output }) {
    const client = await connectClient(options, output);
    const link = await client.createLiveLink(session, {
      mode,
      expires_in_seconds: expires,
      note,
    });
    if (options.json) return output.json(link);
    output.print(link.url);
    output.progress(
      `This is link ${link.id} (${link.mode}), which ends at ${
        renderSeconds(link.expires_at)
      }. It is not shown again`,
    );
  },
});

/** `browsergrid session live-links`. */
export const liveLinksCommand: Command = defineCommand({
  name: "live-links",
  description: "List the links to the live view of a session, newest first",
  arguments: { session: word("id") },
  options: () => z.object(clientOptions()),
  examples: [
    "session live-links SESSION",
    "session live-links SESSION --json",
  ],
  async run({ session, ...options }, { output }) {
    const client = await connectClient(options, output);
    const { items } = await client.listLiveLinks(session);
    if (options.json) return output.json(items);
    await output.table(
      ["id", "mode", "status", "created", "ends", "note"],
      items.map((link) => [
        link.id,
        link.mode,
        link.status,
        renderSeconds(link.created_at),
        renderSeconds(link.expires_at),
        link.note,
      ]),
      ["created"],
    );
  },
});

/** `browsergrid session revoke-live-link`. */
export const revokeLiveLinkCommand: Command = defineCommand({
  name: "revoke-live-link",
  description: "Revoke a link to the live view of a session",
  arguments: { session: word("id"), link: word("id of the link") },
  options: () => z.object(clientOptions()),
  examples: ["session revoke-live-link SESSION LINK"],
  async run({ session, link, ...options }, { output }) {
    const client = await connectClient(options, output);
    await client.revokeLiveLink(session, link);
    if (options.json) output.json({ id: link });
    else output.print(`Link ${link} is not valid any more`);
  },
});

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Parses a duration such as `30m` to seconds. */
function parseSeconds(value: string, context: z.RefinementCtx): number {
  const [, count = "", unit = ""] = /^(\d{1,7})([smhd])$/.exec(value) ?? [];
  const seconds = Object.entries(SECONDS).find(([name]) => name === unit)?.[1];
  if (seconds !== undefined && Number(count) > 0) {
    return Number(count) * seconds;
  }
  context.addIssue("expected a number with s, m, h or d, such as 30m");
  return z.NEVER;
}
