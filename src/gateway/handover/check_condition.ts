import { z } from "@hono/zod-openapi";
import type { Clock } from "../../async/clock.ts";
import { deadline } from "../../async/deadline.ts";
import { GridError } from "../../core/errors.ts";
import { compileGlob } from "../../core/pattern/glob.ts";
import { CdpSession } from "../capture/cdp_session.ts";
import { requestDevtoolsJson } from "../devtools/browser_http_client.ts";
import type { Dialer } from "../dialer.ts";

/** Maximum number of pages in which an element is searched. */
const MAX_PAGES = 20;

/** Longest search in one page, which may have an open dialog. */
const PAGE_MS = 2_000;

/** A condition on the pages of a browser. */
export interface PageCondition {
  /** Pattern of the URL, in which `*` stands for any text. */
  readonly url: string | null;
  /** CSS selector of an element in the main document. */
  readonly selector: string | null;
}

/** Result of a check: whether the condition is met, and why the browser cannot check it. */
export interface ConditionCheck {
  readonly isMet: boolean;
  readonly error: string | null;
}

const targetsSchema = z.array(
  z.looseObject({ id: z.string(), type: z.string(), url: z.string() }),
);

const documentSchema = z.object({ root: z.object({ nodeId: z.int() }) });

const nodeSchema = z.object({ nodeId: z.int() });

/** Checks whether a page of a browser meets a condition. Rejects if the browser does not respond. */
export async function checkCondition(
  dialer: Dialer,
  { url, selector }: PageCondition,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ConditionCheck> {
  const targets = await requestDevtoolsJson(dialer, {
    path: "/json/list",
    schema: targetsSchema,
    signal,
  });
  const matches = compileGlob(url ?? "*");
  const pages = targets.filter((target) =>
    target.type === "page" && matches(target.url)
  );
  if (selector === null) return { isMet: pages.length > 0, error: null };
  for (const { id } of pages.slice(0, MAX_PAGES)) {
    using timeout = deadline(clock, PAGE_MS, signal);
    try {
      const isMet = await hasElement(dialer, {
        id,
        selector,
        signal: timeout.signal,
      });
      if (isMet) return { isMet, error: null };
    } catch (error) {
      if (isInvalidSelector(error)) {
        const reason = "The browser cannot read the selector as CSS";
        return { isMet: false, error: reason };
      }
      // A page that was closed, or does not respond, does not keep the others from being checked.
      if (signal.aborted) throw error;
    }
  }
  return { isMet: false, error: null };
}

/**
 * Searches an element without a script: nothing that the page or other clients could notice is created in the page.
 */
async function hasElement(
  dialer: Dialer,
  { id, selector, signal }: {
    readonly id: string;
    readonly selector: string;
    readonly signal: AbortSignal;
  },
): Promise<boolean> {
  using cdp = await CdpSession.open(dialer, id, signal);
  const { root } = await cdp.call({
    method: "DOM.getDocument",
    params: { depth: 0 },
    result: documentSchema,
  });
  const { nodeId } = await cdp.call({
    method: "DOM.querySelector",
    params: { nodeId: root.nodeId, selector },
    result: nodeSchema,
  });
  return nodeId !== 0;
}

/** Reports whether an error is Chrome's for a selector that is not valid. */
function isInvalidSelector(error: unknown): boolean {
  return error instanceof GridError && error.code === "browser_refused" &&
    /DOM Error while querying/.test(error.message);
}
