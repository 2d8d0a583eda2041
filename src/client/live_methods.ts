import type {
  LiveLinkBody,
  LiveLinkList,
  NewLiveLinkWire,
} from "../apps/live/schemas.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** Endpoints of the live view. A client key uses its own sessions. */
export interface LiveMethods {
  /** Creates a link to the live view of a session. Only this response contains its address. */
  createLiveLink(
    sessionId: string,
    body?: LiveLinkBody,
    options?: CallOptions,
  ): Promise<NewLiveLinkWire>;
  /** Lists the links to the live view of a session, newest first. */
  listLiveLinks(
    sessionId: string,
    options?: CallOptions,
  ): Promise<LiveLinkList>;
  /** Revokes a link. Its live views end within 1 s. */
  revokeLiveLink(
    sessionId: string,
    linkId: string,
    options?: CallOptions,
  ): Promise<void>;
}

/** Creates the methods over `transport`. */
export function createLiveMethods(transport: Transport): LiveMethods {
  const buildPath = (id: string) =>
    `/v1/sessions/${encodeURIComponent(id)}/live-links`;
  return {
    createLiveLink: (sessionId, body = {}, options) =>
      transport.json("POST", buildPath(sessionId), { ...options, body }),
    listLiveLinks: (sessionId, options) =>
      transport.json("GET", buildPath(sessionId), options),
    async revokeLiveLink(sessionId, linkId, options) {
      const path = `${buildPath(sessionId)}/${encodeURIComponent(linkId)}`;
      await transport.text("DELETE", path, options);
    },
  };
}
