import { z } from "@hono/zod-openapi";
import type { BrowserCommands } from "../browser_commands.ts";

/** Name of the context that the live view evaluates in. Pages do not see it. */
const WORLD = "browsergrid_live";

const evaluatedSchema = z.object({
  result: z.object({ value: z.unknown(), objectId: z.string().optional() }),
  exceptionDetails: z.unknown().optional(),
});

/** A call of a function in a page. */
export interface PageCall<T> {
  /** Source of the function. */
  readonly source: string;
  readonly args?: readonly unknown[];
  /** Object that is `this` in the function. @default {the page's global object} */
  readonly objectId?: string;
  readonly result: z.ZodType<T>;
}

/**
 * Calls functions in a page's isolated world, where the page can neither see nor replace them. Created at the first
 * call: a client with `Runtime` enabled sees one more context.
 */
export class IsolatedWorld {
  readonly #link: BrowserCommands;
  readonly #sessionId: string;
  readonly #frameId: string | undefined;

  /** @param frameId Frame of the page; undefined means its main frame. */
  constructor(link: BrowserCommands, sessionId: string, frameId?: string) {
    this.#link = link;
    this.#sessionId = sessionId;
    this.#frameId = frameId;
  }

  /** @throws {Error} The page does not respond, or the function throws. */
  async call<T>(
    { source, args = [], objectId, result }: PageCall<T>,
  ): Promise<T> {
    const { result: { value }, exceptionDetails } = await this.#link.call({
      method: "Runtime.callFunctionOn",
      sessionId: this.#sessionId,
      params: {
        functionDeclaration: source,
        arguments: args.map((value) => ({ value })),
        returnByValue: true,
        userGesture: true,
        ...objectId === undefined
          ? { executionContextId: await this.contextId() }
          : { objectId },
      },
      result: evaluatedSchema,
    });
    if (exceptionDetails !== undefined) {
      throw new Error("the page's function failed");
    }
    return result.parse(value);
  }

  /** Returns the id of the context. A later call after a navigation returns the new one. */
  async contextId(): Promise<number> {
    const { executionContextId } = await this.#link.call({
      method: "Page.createIsolatedWorld",
      sessionId: this.#sessionId,
      params: {
        frameId: this.#frameId ?? await this.#findMainFrame(),
        worldName: WORLD,
      },
      result: z.object({ executionContextId: z.int() }),
    });
    return executionContextId;
  }

  async #findMainFrame(): Promise<string> {
    const { frameTree } = await this.#link.call({
      method: "Page.getFrameTree",
      sessionId: this.#sessionId,
      result: z.object({
        frameTree: z.object({ frame: z.object({ id: z.string() }) }),
      }),
    });
    return frameTree.frame.id;
  }
}
