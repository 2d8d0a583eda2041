import { within } from "./within.ts";

// deno-lint-ignore no-explicit-any -- a test says what it expects of it
type Result = any;

type Params = Readonly<Record<string, unknown>>;

/** A client of a browser or a page, by hand. Disposal hangs up. */
export interface CdpClient extends AsyncDisposable {
  call(method: string, params?: Params): Promise<Result>;
  /** Evaluates an expression in the page. */
  evaluate(expression: string): Promise<unknown>;
  readonly closed: Promise<CloseEvent>;
}

/** Connects to `url`. @throws {Error} When it is refused. */
export async function cdpClient(url: string): Promise<CdpClient> {
  const socket = new WebSocket(url);
  const waiting = new Map<number, (answer: Result) => void>();
  const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
  socket.onmessage = ({ data }) => {
    const answer = JSON.parse(data);
    waiting.get(answer.id)?.(answer);
  };
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error(`Cannot connect to ${url}`));
  });
  const call: CdpClient["call"] = async (method, params = {}) => {
    const id = waiting.size + 1;
    const answered = new Promise<Result>((resolve) => waiting.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params }));
    const { result, error } = await within(answered, {
      what: `${method} is answered`,
      ms: 10_000,
    });
    if (error) throw new Error(error.message);
    return result;
  };
  return {
    call,
    closed,
    async evaluate(expression) {
      const params = { expression, returnByValue: true, awaitPromise: true };
      return (await call("Runtime.evaluate", params)).result.value;
    },
    async [Symbol.asyncDispose]() {
      socket.close();
      await closed;
    },
  };
}
