import {
  LIVE_PROTOCOL,
  TOKEN_PROTOCOL,
} from "../../../../apps/live/schemas/live_messages.ts";
import { SERVER_URL } from "../../api/client.ts";
import type { ViewerOptions } from "./viewer.ts";

const SOCKET_URL = SERVER_URL.replace(/^http/, "ws");

/** Returns where a signed-in visitor sees a session. */
export function forSession(id: string): ViewerOptions {
  return {
    url: `${SOCKET_URL}/v1/sessions/${encodeURIComponent(id)}/live`,
    protocols: [LIVE_PROTOCOL],
  };
}

/** Returns where a visitor with a link sees its session. */
export function forToken(token: string): ViewerOptions {
  return {
    url: `${SOCKET_URL}/v1/live`,
    protocols: [LIVE_PROTOCOL, TOKEN_PROTOCOL + token],
  };
}
