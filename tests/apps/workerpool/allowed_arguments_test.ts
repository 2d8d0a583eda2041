import assert from "node:assert/strict";
import fc from "fast-check";
import {
  findForbiddenReason,
  findRejectedArguments,
  HARMLESS_ARGUMENTS,
} from "../../../src/apps/workerpool/allowed_arguments.ts";
import { poolPatchSchema } from "../../../src/apps/workerpool/schemas.ts";
import {
  argumentName,
  argumentsSchema,
} from "../../../src/core/browser_spec.ts";

/** Arguments that no list can allow. */
const FORBIDDEN = [
  "--remote-debugging-port",
  "--remote-debugging-pipe",
  "--remote-debugging-address",
  "--remote-allow-origins",
  "--user-data-dir",
  "--headless",
  "--proxy-server",
  "--type",
  "--renderer-cmd-prefix",
  "--utility-cmd-prefix",
  "--zygote-cmd-prefix",
  "--gpu-launcher",
  "--browser-subprocess-path",
  "--debug",
  "--temp-profile",
];

/** Arguments that weaken protection, or access the host's files or network. */
const RISKY = [
  "--no-sandbox",
  "--disable-setuid-sandbox",
  "--disable-seccomp-filter-sandbox",
  "--disable-gpu-sandbox",
  "--no-zygote",
  "--single-process",
  "--in-process-gpu",
  "--process-per-site",
  "--disable-web-security",
  "--disable-site-isolation-trials",
  "--disable-features",
  "--enable-features",
  "--enable-blink-features",
  "--enable-unsafe-swiftshader",
  "--unsafely-treat-insecure-origin-as-secure",
  "--ignore-certificate-errors",
  "--ignore-certificate-errors-spki-list",
  "--allow-file-access-from-files",
  "--allow-running-insecure-content",
  "--test-type",
  "--load-extension",
  "--disable-extensions-except",
  "--proxy-pac-url",
  "--proxy-bypass-list",
  "--no-proxy-server",
  "--host-rules",
  "--host-resolver-rules",
  "--js-flags",
  "--blink-settings",
  "--log-net-log",
  "--log-file",
  "--net-log-capture-mode-file",
  "--ssl-key-log-file",
  "--trace-startup-file",
  "--disk-cache-dir",
  "--screenshot",
  "--print-to-pdf",
  "--pack-extension",
  "--use-file-for-fake-video-capture",
  "--crash-dumps-dir",
];

const name = fc.oneof(
  fc.constantFrom(...FORBIDDEN, ...RISKY, ...HARMLESS_ARGUMENTS),
  fc.constantFrom(...FORBIDDEN).map((each) => each.toUpperCase()),
  fc.stringMatching(/^--[a-zA-Z0-9][a-zA-Z0-9-]{0,12}$/),
);
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.constantFrom(...FORBIDDEN, ...RISKY).map((each) => ` ${each}=1`),
  fc.constantFrom(" --no-sandbox", "\n--no-sandbox", '" --no-sandbox', "--"),
);

/** Any argument that a client may send. */
const anyArgument = fc.oneof(
  name,
  fc.tuple(name, text).map(([before, after]) => `${before}=${after}`),
  fc.tuple(text, name).map(([before, after]) => `${before}${after}`),
  text,
);

/** Entries of a pool's list: names, and beginnings with a star. */
const anyEntry = fc.oneof(
  name,
  fc.tuple(name, fc.nat(8)).map(([each, cut]) =>
    `${each.slice(0, Math.max(3, each.length - cut))}*`
  ),
);
const anyList = fc.option(fc.array(anyEntry, { maxLength: 6 }));

/** Parses switches like base/command_line.cc of Chromium, with names in lower case like on Windows. */
function parseSwitches(argv: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const each of argv.map((text) => text.trim())) {
    if (each === "--") break;
    const [, name, value = ""] = /^--?([^=]+)=?([^]*)$/.exec(each) ?? [];
    if (name !== undefined) found.set(name.toLowerCase(), value);
  }
  return found;
}

Deno.test("no list allows a forbidden argument, in any spelling", () => {
  fc.assert(
    fc.property(
      fc.array(anyArgument, { maxLength: 5 }),
      anyList,
      (asked, list) => {
        const taken = argumentsSchema.safeParse(asked);
        if (!taken.success) return;
        if (findRejectedArguments(taken.data, list).length > 0) return;
        const switches = parseSwitches(taken.data);
        for (const name of FORBIDDEN) {
          assert.ok(!switches.has(name.slice(2)), name);
        }
        for (const name of switches.keys()) {
          assert.ok(
            taken.data.some((each) =>
              argumentName(each).toLowerCase() === `--${name}`
            ),
          );
        }
      },
    ),
    { numRuns: 1_000 },
  );
});

Deno.test("an argument is allowed if the list has its name, or a beginning of it with a star, and only then", () => {
  fc.assert(
    fc.property(name, text, anyList, (name, value, list) => {
      const passes =
        findRejectedArguments([`${name}=${value}`], list).length === 0;
      const entries = list ?? HARMLESS_ARGUMENTS;
      const isNamed = entries.includes(name);
      const isBegun = entries.some((entry) =>
        entry.endsWith("*") && name.startsWith(entry.slice(0, -1))
      );
      if (findForbiddenReason(name) !== undefined) assert.ok(!passes);
      else if (RISKY.includes(name)) assert.equal(passes, isNamed);
      else if (passes) assert.ok(isNamed || isBegun);
      else assert.ok(!isNamed);
    }),
    { numRuns: 500 },
  );
});

Deno.test("a star does not match arguments that weaken the browser's protection; these must be named", () => {
  for (const risky of RISKY) {
    assert.equal(findForbiddenReason(risky), undefined, risky);
    const stars = [`${risky.slice(0, 5)}*`, `${risky}*`];
    assert.deepEqual(findRejectedArguments([risky], stars), [risky]);
    assert.deepEqual(findRejectedArguments([`${risky}=x`], [risky]), []);
  }
  const stars = ["--force-*", "--disable-*"];
  const asked = ["--force-dark-mode", "--disable-sync", "--lang=de"];
  assert.deepEqual(findRejectedArguments(asked, stars), ["--lang"]);
});

Deno.test("the list of harmless arguments contains no forbidden or risky ones", () => {
  for (const harmless of HARMLESS_ARGUMENTS) {
    assert.equal(findForbiddenReason(harmless), undefined, harmless);
    assert.deepEqual(findRejectedArguments([harmless], null), []);
    assert.match(harmless, /^--[a-z0-9-]+$/);
  }
  for (const risky of [...RISKY, ...FORBIDDEN]) {
    assert.deepEqual(findRejectedArguments([risky], null), [risky]);
  }
  assert.deepEqual(
    HARMLESS_ARGUMENTS,
    [...new Set(HARMLESS_ARGUMENTS)],
  );
});

Deno.test("an empty list allows nothing, and each rejected argument is named once", () => {
  assert.deepEqual(
    findRejectedArguments(["--lang=de", "--lang=fr", "--mute-audio"], []),
    ["--lang", "--mute-audio"],
  );
  assert.deepEqual(findRejectedArguments([], []), []);
});

Deno.test("names in another case are other arguments, like in Chromium", () => {
  assert.deepEqual(findRejectedArguments(["--Lang=de"], null), ["--Lang"]);
  assert.deepEqual(findRejectedArguments(["--Lang=de"], ["--Lang"]), []);
});

Deno.test("a pool's list with an argument that can never be allowed is rejected with the reason", () => {
  const entries = [
    ...FORBIDDEN,
    "--remote-*",
    "--user-data-dir*",
    "--HEADLESS",
  ];
  for (const entry of entries) {
    const allowed_arguments = ["--lang", entry];
    const { success, error } = poolPatchSchema.safeParse({ allowed_arguments });
    assert.ok(!success, entry);
    assert.deepEqual(error.issues[0]?.path, ["allowed_arguments", 1]);
    assert.match(error.message, /can never be allowed: .*, expected /);
  }
  for (const allowed_arguments of [null, [], ["--no-sandbox", "--r*"]]) {
    poolPatchSchema.parse({ allowed_arguments });
  }
  for (const entry of ["lang", "--", "--*", "--lang=de", "--a*b", "-lang"]) {
    const asked = { allowed_arguments: [entry] };
    assert.ok(!poolPatchSchema.safeParse(asked).success, entry);
  }
});
