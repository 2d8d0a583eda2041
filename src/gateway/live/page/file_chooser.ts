import { z } from "@hono/zod-openapi";
import type { BrowserCommands } from "../browser_commands.ts";
import { IsolatedWorld } from "./isolated_world.ts";
import { SET_FILES } from "./page_functions.ts";

/** Maximum length of an input's `accept`. */
const MAX_ACCEPT = 1_000;

/** A file of a viewer. */
export interface ViewerFile {
  readonly name: string;
  readonly mime: string;
  readonly base64: string;
}

/** A file input whose chooser is open. */
interface FileInput {
  readonly id: number;
  /** Session of the page. */
  readonly sessionId: string;
  readonly backendNodeId: number;
  readonly frameId: string;
}

/** A file chooser that a page has opened, and that the viewer in control answers. */
export class FileChooser {
  readonly #link: BrowserCommands;
  readonly #input: FileInput;

  constructor(link: BrowserCommands, input: FileInput) {
    this.#link = link;
    this.#input = input;
  }

  get id(): number {
    return this.#input.id;
  }

  /** Returns the input's `accept`; empty without one. @throws {Error} The page does not respond. */
  async readAccept(): Promise<string> {
    const { sessionId, backendNodeId } = this.#input;
    const { node } = await this.#link.call({
      method: "DOM.describeNode",
      sessionId,
      params: { backendNodeId },
      result: z.object({
        node: z.object({ attributes: z.array(z.string()).default([]) }),
      }),
    });
    const at = node.attributes.findIndex((name, index) =>
      index % 2 === 0 && name === "accept"
    );
    return at < 0 ? "" : (node.attributes[at + 1] ?? "").slice(0, MAX_ACCEPT);
  }

  /** Gives files to the input. No file cancels the choice. @throws {Error} The input is gone. */
  async choose(files: readonly ViewerFile[]): Promise<void> {
    const { sessionId, backendNodeId, frameId } = this.#input;
    const world = new IsolatedWorld(this.#link, sessionId, frameId);
    const { object } = await this.#link.call({
      method: "DOM.resolveNode",
      sessionId,
      params: { backendNodeId, executionContextId: await world.contextId() },
      result: z.object({ object: z.object({ objectId: z.string() }) }),
    });
    await world.call({
      source: SET_FILES,
      args: [files],
      objectId: object.objectId,
      result: z.boolean(),
    });
  }
}
