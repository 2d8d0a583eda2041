/** Advice for outputs of a browser. The first match is used. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /no usable sandbox|running as root without --no-sandbox|setuid sandbox/i,
    "The browser's sandbox does not work on this host: allow unprivileged user namespaces, or set sandbox to off in the pool's provider_config",
  ],
  [
    /error while loading shared libraries: (?:lib\S+)/i,
    "Libraries of the system are missing: install the browser with the system's package manager, which brings them",
  ],
  [
    /missing x server|cannot open display|failed to (?:open|initialize) [^\n]{0,200}?(?:display|ozone)/i,
    "The display does not respond: unset DISPLAY and install Xvfb, or ask for headless: true",
  ],
  [
    /no space left on device|disk full/i,
    "The disk is full: free space in the data folder",
  ],
];

/** Creates the error of a failed start: the reason, the next step, and the last output. */
export function createStartError(
  path: string,
  reason: string,
  output: string,
): Error {
  const advice = ADVICE.find(([pattern]) => pattern.test(output))?.[1] ??
    `Try "${path}" by hand as the worker's user, or run "browsergrid check"`;
  const last = output === ""
    ? "It wrote nothing"
    : `Its last output:\n${output}`;
  return new Error(`Cannot start the browser: ${reason}. ${advice}. ${last}`);
}
