import { connect } from "node:net";
import WebSocket from "ws";
import type { RunningBrowser } from "../../src/core/provider.ts";

// deno-lint-ignore no-explicit-any -- a test says what it expects of it
type Result = any;

type Params = Readonly<Record<string, unknown>>;

/** A CDP client of a browser and its pages, also of a browser on a unix socket. Disposal closes the connection. */
export interface BrowserCdp extends AsyncDisposable {
  call(method: string, params?: Params, session?: string): Promise<Result>;
  /** Resolves with the next matching event. */
  event(fits: (event: Result) => boolean): Promise<Result>;
  /** Opens a page, in the given context if any, and returns its session. */
  page(context?: string): Promise<string>;
  /** Navigates a page to `url` and returns its text, or the error. */
  visit(page: string, url: string): Promise<string>;
  /** Evaluates an expression in a page and returns the result or the error, as text. */
  evaluate(page: string, expression: string): Promise<string>;
}

/** Connects to a browser at its address or unix socket. */
export async function browserCdp(
  { endpoint, socketPath }: Pick<RunningBrowser, "endpoint" | "socketPath">,
): Promise<BrowserCdp> {
  const socket = socketPath === undefined
    ? new WebSocket(endpoint)
    : new WebSocket(`ws://127.0.0.1${endpoint.pathname}`, {
      createConnection: () => connect(socketPath),
    });
  const waiting = new Map<number, (answer: Result) => void>();
  const listeners = new Set<(event: Result) => void>();
  socket.on("message", (data) => {
    const answer = JSON.parse(String(data));
    waiting.get(answer.id)?.(answer);
    for (const listener of listeners) listener(answer);
  });
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  let last = 0;
  const call: BrowserCdp["call"] = async (method, params = {}, sessionId) => {
    const id = ++last;
    const answered = new Promise<Result>((resolve) => waiting.set(id, resolve));
    const text = JSON.stringify({ id, method, params, sessionId });
    socket.send(text);
    const { result, error } = await answered;
    if (error) throw new Error(error.message);
    return result;
  };
  const evaluate: BrowserCdp["evaluate"] = async (page, expression) => {
    const params = { expression, returnByValue: true, awaitPromise: true };
    const { result, exceptionDetails } = await call(
      "Runtime.evaluate",
      params,
      page,
    ).catch((error) => ({ result: { value: String(error) } }));
    return exceptionDetails
      ? String(exceptionDetails.exception?.description)
      : String(result.value);
  };
  return {
    call,
    evaluate,
    event(fits) {
      return new Promise((resolve) => {
        const listener = (event: Result) => {
          if (!fits(event)) return;
          listeners.delete(listener);
          resolve(event);
        };
        listeners.add(listener);
      });
    },
    async page(browserContextId) {
      const { targetId } = await call("Target.createTarget", {
        url: "about:blank",
        browserContextId,
      });
      const { sessionId } = await call("Target.attachToTarget", {
        targetId,
        flatten: true,
      });
      await call("Page.enable", {}, sessionId);
      return sessionId;
    },
    async visit(page, url) {
      const { errorText } = await call("Page.navigate", { url }, page);
      if (errorText) return errorText;
      return await evaluate(
        page,
        `new Promise((done) => {
          const look = () => document.readyState === "complete"
            ? done(document.documentElement.innerText.trim()) : setTimeout(look, 5);
          look();
        })`,
      );
    },
    async [Symbol.asyncDispose]() {
      if (socket.readyState === WebSocket.CLOSED) return;
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.terminate();
      await closed;
    },
  };
}
