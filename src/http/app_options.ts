import type { z } from "@hono/zod-openapi";
import { toMessage } from "../core/log.ts";
import { type Named, Registry } from "../core/registry.ts";
import { type Settings, SettingsError } from "../core/settings.ts";

/** The setting `app_options`: what is given must be for an app that is installed, and be taken by it. */
export class AppOptions {
  readonly #given: Settings["app_options"];
  readonly #taken = new Set<string>();

  /** @throws {SettingsError} If options are given to an app that is not among `apps`. */
  constructor({ app_options }: Settings, apps: readonly Named[]) {
    this.#given = app_options;
    const known = new Registry("app", apps);
    for (const name of Object.keys(app_options)) rejectUnknown(known, name);
  }

  /** The options of `app`. @throws {SettingsError} If they are not as `schema` says. */
  parse<O extends z.ZodObject>({ name }: Named, schema: O): z.infer<O> {
    this.#taken.add(name);
    const parsed = schema.safeParse(this.#given[name] ?? {});
    if (parsed.success) return parsed.data;
    const faults = parsed.error.issues.map(({ path, message }) =>
      [...path, message].join(": ")
    );
    throw new SettingsError(
      `Cannot use setting "app_options" of app "${name}": ${faults.join("; ")}`,
    );
  }

  /** @throws {SettingsError} If an app did not ask for the options that it is given. */
  rejectUnused(): void {
    for (const name of Object.keys(this.#given)) {
      if (this.#taken.has(name)) continue;
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
