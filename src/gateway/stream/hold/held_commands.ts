/** Domains all of whose commands are held. */
const HELD_DOMAINS = ["Input."];

const HELD_COMMANDS: ReadonlySet<string> = new Set([
  "DOM.setFileInputFiles",
  "Page.bringToFront",
  "Page.captureScreenshot",
  "Page.close",
  "Page.handleJavaScriptDialog",
  "Page.navigate",
  "Page.reload",
  "Runtime.callFunctionOn",
  "Runtime.evaluate",
  "Target.activateTarget",
  "Target.closeTarget",
  "Target.createTarget",
]);

/**
 * Reports whether a client's command is held while a person controls the browser: it acts on pages or waits for them.
 *
 * All others pass. Clients attach to new targets with `waitForDebuggerOnStart`: a popup that the person opens, and its
 * opener, would freeze without the client's `Runtime.runIfWaitingForDebugger`, and requests that the client intercepts
 * without its `Fetch.continueRequest`.
 */
export function isHeldCommand(method: string): boolean {
  return HELD_COMMANDS.has(method) ||
    HELD_DOMAINS.some((domain) => method.startsWith(domain));
}
