import { Buffer } from "node:buffer";
import type { WebSocket } from "ws";

/** Results of DevTools protocol commands; an unknown command is rejected, an undefined result sends no response. */
export type Results = Readonly<Record<string, unknown>>;

/** A document in two parts. */
const DOCUMENT = ["%PDF-1.4 ", "%%EOF"];

export const RESULTS: Results = {
  "Page.captureScreenshot": { data: Buffer.from("a picture").toBase64() },
  "Page.getLayoutMetrics": { cssContentSize: { width: 800, height: 5_000 } },
  "Runtime.evaluate": { result: { type: "number", value: 1 } },
  "Page.printToPDF": { data: "", stream: "1" },
  "DOM.getDocument": { root: { nodeId: 1 } },
  "DOM.getOuterHTML": { outerHTML: "<!DOCTYPE html><html></html>" },
};

/** Takes over sockets as a page of Chrome does that answers every command with what `results` has for it. */
export function fakePage(
  results: Results = RESULTS,
): (socket: WebSocket) => void {
  return (socket) => {
    let part = 0;
    socket.on("message", (data) => {
      const { id, method } = JSON.parse(String(data));
      const answer = method === "IO.read" && !(method in results)
        ? readDocument(part++)
        : method in results
        ? { result: results[method] }
        : { error: { code: -32601, message: `'${method}' wasn't found` } };
      // Chrome tells of what happens whether it is asked or not.
      socket.send('{"method":"DOM.documentUpdated","params":{}}');
      if ("result" in answer && answer.result === undefined) return;
      socket.send(JSON.stringify({ id, ...answer }));
    });
  };
}

function readDocument(part: number): { readonly result: unknown } {
  const data = Buffer.from(DOCUMENT[part] ?? "").toBase64();
  const eof = part + 1 >= DOCUMENT.length;
  return { result: { base64Encoded: true, data, eof } };
}
