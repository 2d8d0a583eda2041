import { createClient, type GridClient } from "../../../client/client.ts";
import { Transport } from "../../../client/transport.ts";

/** Path under which this browser reaches the server, without a slash at the end. */
export const PREFIX: string =
  document.getElementById("page")?.dataset["prefix"] ?? "";

/** URL of the server, without a slash at the end. */
export const SERVER_URL: string = location.origin + PREFIX;

/** Called when a request is rejected because its sign-in is missing or has ended. */
let onUnauthorized = () => {};

/** Sets the reaction to a request that is rejected for want of a valid sign-in. */
export function setUnauthorizedHandler(handler: () => void): void {
  onUnauthorized = handler;
}

const options = { apiUrl: SERVER_URL, fetch: sendRequest };

/** Requests for which the client has no method. */
export const transport: Transport = new Transport(options);

/** Client of this page's server, with the visitor's sign-in. */
export const client: GridClient = createClient(options);

/** Sends the cookie of the sign-in, and the header without which a request with it may change nothing. */
async function sendRequest(
  input: RequestInfo | URL,
  init: RequestInit = {},
): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("x-browsergrid-csrf", "1");
  const response = await fetch(input, {
    ...init,
    headers,
    credentials: "same-origin",
    cache: "no-store",
  });
  if (response.status === 401) onUnauthorized();
  return response;
}
