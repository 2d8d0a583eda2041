import {
  type Command,
  type CommandContext,
  defineCommand,
} from "../command.ts";

/** Declares `browsergrid serve`. */
export function serveCommand(
  { loadProviders }: Pick<CommandContext, "loadProviders">,
): Command {
  return defineCommand({
    name: "serve",
    aliases: ["runserver"],
    description: "Start the server, with --with-worker also a worker here",
    async options() {
      const [{ serveOptions }, providers] = await Promise.all([
        import("./options.ts"),
        loadProviders(),
      ]);
      return serveOptions(providers.map(({ name }) => name));
    },
    examples: [
      "serve --with-worker",
      "serve --port 9000 --with-worker docker --worker-capacity 10",
      "serve --host 0.0.0.0 --database-url libsql://grid.example",
    ],
    notes: 'Every option is also a setting: see "browsergrid settings".',
    async run(options, context) {
      const { serve } = await import("./serve.ts");
      return await serve(options, context);
    },
  });
}
