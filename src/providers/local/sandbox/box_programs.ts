import {
  findProgram,
  type HostEnvironment,
  thisHost,
} from "../find_browser.ts";

/** Paths of the programs that a box needs. */
export interface BoxPrograms {
  readonly bwrap: string;
  readonly socat: string;
  /** Runs the box as another user; only present if the worker is root. */
  readonly setpriv?: string;
}

/** Debian and Ubuntu packages of the programs. */
const PACKAGES: Readonly<Record<string, string>> = {
  bwrap: "bubblewrap",
  socat: "socat",
  setpriv: "util-linux",
};

/** Finds the programs. @param needsUser True if the box runs as another user. @throws {Error} Names the missing ones and the packages to install. */
export async function findBoxPrograms(
  needsUser: boolean,
  host: HostEnvironment = thisHost,
): Promise<BoxPrograms> {
  const names = ["bwrap", "socat", ...(needsUser ? ["setpriv"] : [])];
  const found = new Map<string, string>();
  for (const name of names) {
    const path = await findProgram(name, host);
    if (path !== undefined) found.set(name, path);
  }
  const missing = names.filter((name) => !found.has(name));
  const [bwrap, socat, setpriv] = ["bwrap", "socat", "setpriv"].map((name) =>
    found.get(name)
  );
  if (missing.length > 0 || bwrap === undefined || socat === undefined) {
    const packages = missing.map((name) => PACKAGES[name]).join(" ");
    throw new Error(
      `${
        missing.join(" and ")
      } not found on the PATH, expected the packages of the system: install ${packages}`,
    );
  }
  return { bwrap, socat, ...(setpriv === undefined ? {} : { setpriv }) };
}
