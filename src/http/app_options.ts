import type { z } from "@hono/zod-openapi";
import { toMessage } from "../core/log.ts";
import { type Named, Registry } from "../core/registry.ts";
import { type Settings, SettingsError } from "../core/settings.ts";
import { PARSED_ONCE } from "../core/schema.ts";

/** The setting `app_options`. Each entry must belong to an installed app that reads its options. */
export class AppOptions {
  readonly #options: Settings["app_options"];
  readonly #read = new Set<string>();

  /** @throws {SettingsError} If the setting names an app that is not among `apps`. */
  constructor({ app_options }: Settings, apps: readonly Named[]) {
    this.#options = app_options;
    const known = new Registry("app", apps);
    for (const name of Object.keys(app_options)) rejectUnknown(known, name);
  }

  /** Returns the options of `app`. @throws {SettingsError} If they do not match `schema`. */
  parse<O extends z.ZodObject>({ name }: Named, schema: O): z.infer<O> {
    this.#read.add(name);
    const parsed = schema.safeParse(this.#options[name] ?? {}, PARSED_ONCE);
    if (parsed.success) return parsed.data;
    const faults = parsed.error.issues.map(({ path, message }) =>
      [...path, message].join(": ")
    );
    throw new SettingsError(
      `Cannot use setting "app_options" of app "${name}": ${faults.join("; ")}`,
    );
  }

  /** @throws {SettingsError} If an app did not read its options. */
  rejectUnused(): void {
    for (const name of Object.keys(this.#options)) {
      if (this.#read.has(name)) continue;
      throw new SettingsError(
        `Cannot use setting "app_options": app "${name}" takes no options`,
      );
    }
  }
}

function rejectUnknown(known: Registry<Named>, name: string): void {
  try {
    known.get(name);
  } catch (cause) {
    throw new SettingsError(
      `Cannot use setting "app_options": ${toMessage(cause)}`,
      { cause },
    );
  }
}
