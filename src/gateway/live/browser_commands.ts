import type { z } from "@hono/zod-openapi";

/** An event of a browser. */
export interface BrowserEvent {
  readonly method: string;
  readonly params: unknown;
  /** The page's session; undefined for events of the browser itself. */
  readonly sessionId: string | undefined;
}

/** A command. */
export interface BrowserCommand {
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
  /** The page's session; undefined addresses the browser itself. */
  readonly sessionId?: string | undefined;
}

/** A command whose result is read. */
export interface AwaitedCommand<T> extends BrowserCommand {
  readonly result: z.ZodType<T>;
}

/** Sends commands to a browser. */
export interface BrowserCommands {
  /** Sends a command. Its result is not awaited: browsers never answer some input. */
  post(command: BrowserCommand): void;
  /**
   * Sends a command and returns its result.
   *
   * @throws {Error} The browser rejects it, does not respond in 5 s, or is gone.
   */
  call<T>(command: AwaitedCommand<T>): Promise<T>;
}
