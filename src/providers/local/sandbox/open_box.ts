import type { BrowserSpec } from "../../../core/browser_spec.ts";
import { createChildEnvironment } from "../../kit/child_environment.ts";
import { type Display, startDisplay } from "../display/display.ts";
import { type FoundBrowser, thisHost } from "../find_browser.ts";
import {
  BOX_DISPLAY_VARIABLES,
  BOX_FLAGS,
  BOX_PROXY,
  BOX_VARIABLES,
  renderBoxCommand,
} from "./box_command.ts";
import type { BoxEgress, BoxEgresses, OpenEgress } from "./box_egress.ts";
import { toBoxEgress } from "./box_egress.ts";
import { type BoxFolder, makeBoxFolder } from "./box_folder.ts";
import type { BoxPrograms } from "./box_programs.ts";
import { pickUserId, renderUserSwitch } from "./box_user.ts";

/** Resources for the boxes of a host. */
export interface BoxMaker {
  readonly programs: BoxPrograms;
  readonly egresses: BoxEgresses;
}

/** Options of {@linkcode openBox}. */
export interface BoxOptions {
  readonly spec: BrowserSpec;
  /** Folder of the session. */
  readonly folder: string;
  readonly browser: FoundBrowser;
  readonly signal: AbortSignal;
}

/** A box in which a browser can be started. */
export interface OpenedBox {
  readonly paths: BoxFolder;
  readonly egress: BoxEgress;
  readonly display: Display | undefined;
  /** Command line that precedes the browser's own. */
  readonly command: readonly string[];
  readonly flags: readonly string[];
  readonly proxyServer: string;
  /** Returns the bytes that the browser has received and sent. */
  readonly readTraffic: OpenEgress["readTraffic"];
  /** All variables of the browser except those of its session. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Names of the worker's variables that a browser in a box also receives. */
const PASSED_ON = /^(LANG|LANGUAGE|TZ|LC_\w+)$/;

/** Creates a box with its egress and its display, which end with `companions`. The session removes the folder. */
export async function openBox(
  { programs, egresses }: BoxMaker,
  { spec, folder, browser, signal }: BoxOptions,
  companions: AsyncDisposableStack,
): Promise<OpenedBox> {
  const userId = programs.setpriv === undefined
    ? undefined
    : await pickUserId();
  const paths = makeBoxFolder(folder, userId);
  const egress = toBoxEgress(spec);
  const hasUser = spec.proxy?.proxy_username !== undefined;
  const opened = companions.use(
    await egresses.open(
      paths,
      hasUser ? { egress, proxy: spec.proxy } : { egress },
    ),
  );
  const display = spec.headless ? undefined : companions.use(
    await startDisplay(spec.screen, {
      folder,
      signal,
      // Never the display of a desktop user.
      host: { ...thisHost, env: withoutDisplay },
      authority: paths.authority,
      ...(userId === undefined ? {} : {
        user: {
          id: userId,
          command: renderUserSwitch(programs.setpriv, userId),
        },
      }),
    }),
  );
  const command = renderBoxCommand({
    programs,
    box: paths,
    folder,
    userId,
    browser: [browser.path, await Deno.realPath(browser.path)],
    display: display?.name,
  });
  return {
    paths,
    egress,
    readTraffic: () => opened.readTraffic(),
    display,
    command,
    flags: BOX_FLAGS,
    proxyServer: BOX_PROXY,
    variables: {
      ...Object.fromEntries(
        Object.entries(createChildEnvironment()).filter(([name]) =>
          PASSED_ON.test(name)
        ),
      ),
      ...BOX_VARIABLES,
      ...browser.variables,
      ...(display ? BOX_DISPLAY_VARIABLES : {}),
    },
  };
}

function withoutDisplay(name: string): string | undefined {
  return /DISPLAY$/.test(name) ? undefined : thisHost.env(name);
}
