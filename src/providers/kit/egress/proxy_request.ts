import type { EgressTarget } from "../../../core/egress.ts";

/** A rejection by a proxy: HTTP status and sentence. */
export class ProxyProblem extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A parsed request to a proxy. */
export interface ProxyRequest {
  readonly target: EgressTarget;
  /** True for a tunnel (CONNECT), false for a single resource of an http: URL. */
  readonly isTunnel: boolean;
  readonly method: string;
  /** Path and query; empty for a tunnel. */
  readonly path: string;
  readonly version: string;
  /** Header fields without those that are only for the proxy. */
  readonly fields: readonly string[];
}

const FOR_PROXY = /^proxy-(authorization|connection):/i;

/** Parses the head of a request. @throws {ProxyProblem} 400. */
export function parseProxyRequest(head: string): ProxyRequest {
  // Other line endings could be read as two lines by another parser.
  if (/[\0\r\n]/.test(head.replaceAll("\r\n", ""))) throw malformed();
  const [line = "", ...fields] = head.split("\r\n");
  const [method = "", asked = "", version = "", ...rest] = line.split(" ");
  const isHttp = /^HTTP\/1\.[01]$/.test(version) && rest.length === 0;
  if (!isHttp || !/^[A-Z]{1,20}$/.test(method)) throw malformed();
  const isTunnel = method === "CONNECT";
  const url = URL.parse(isTunnel ? `http://${asked}` : asked);
  // Drops a user name, which browsers do not send.
  if (url?.protocol !== "http:" || url.username || url.password) {
    throw malformed();
  }
  const isBare = url.pathname === "/" && url.search === "" &&
    !asked.endsWith("/");
  if (isTunnel && !isBare) throw malformed();
  return {
    target: {
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: Number(url.port || 80),
    },
    isTunnel,
    method,
    path: isTunnel ? "" : url.pathname + url.search,
    version,
    fields: fields.filter((field) => !FOR_PROXY.test(field)),
  };
}

/** Returns the head of a request for the origin server. */
export function renderOriginHead(request: ProxyRequest): string {
  const { method, path, version } = request;
  return renderHead(
    `${method} ${path} ${version}`,
    renderEndToEndFields(request),
  );
}

/** Returns the head of the request for another proxy, which connects to `host`. */
export function renderProxyHead(
  request: ProxyRequest,
  { host, credentials }: {
    /** @default {request.target.host} */
    readonly host?: string | undefined;
    /** Value of Proxy-Authorization. */
    readonly credentials?: string | undefined;
  },
): string {
  const { method, path, version, isTunnel, target } = request;
  const place = formatAuthority({
    host: host ?? target.host,
    port: target.port,
  });
  const asked = isTunnel ? place : `http://${place.replace(/:80$/, "")}${path}`;
  return renderHead(`${method} ${asked} ${version}`, [
    ...(isTunnel ? request.fields : renderEndToEndFields(request)),
    ...(credentials === undefined
      ? []
      : [`Proxy-Authorization: ${credentials}`]),
  ]);
}

/** Returns `host:port`, with brackets around an IPv6 address. */
export function formatAuthority({ host, port }: EgressTarget): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/**
 * Returns the fields of a request for one resource: for exactly the checked host, and closing the connection unless it
 * becomes a WebSocket, since the next request could name another host.
 */
function renderEndToEndFields(
  { target, fields }: ProxyRequest,
): readonly string[] {
  const isUpgrade = fields.some((field) => /^upgrade:/i.test(field));
  const kept = fields.filter((field) =>
    !/^(host|connection|keep-alive):/i.test(field)
  );
  const place = formatAuthority(target).replace(/:80$/, "");
  return [
    `Host: ${place}`,
    ...kept,
    `Connection: ${isUpgrade ? "Upgrade" : "close"}`,
  ];
}

function renderHead(line: string, fields: readonly string[]): string {
  return [line, ...fields, "", ""].join("\r\n");
}

function malformed(): ProxyProblem {
  return new ProxyProblem(
    400,
    "Cannot read the request: expected CONNECT host:port, or an absolute http: URL",
  );
}
