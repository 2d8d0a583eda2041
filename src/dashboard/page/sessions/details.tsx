import type { ComponentChildren, VNode } from "preact";
import type { SessionWire } from "../../../client/client.ts";
import { isAdmin } from "../api/access.ts";
import { formatDuration } from "../format.ts";
import { buildHref } from "../routing.ts";
import { Age, Moment, Span } from "../ui/time.tsx";
import { Labels } from "./session_table.tsx";
import { isLive } from "./status.ts";
import type { Places } from "./use_places.ts";

type Row = readonly [name: string, value: ComponentChildren];

/** The fields of a session that are set. */
export function Details(
  { session, places }: {
    readonly session: SessionWire;
    readonly places: Places;
  },
): VNode {
  const rows = [
    ...listBrowser(session),
    ...listPlaces(session, places),
    ...listTimes(session),
    ...listProvider(session),
  ];
  return (
    <dl class="details">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function listBrowser(session: SessionWire): readonly Row[] {
  const { browser, version, headless, screen, proxy, labels } = session;
  return [
    [
      "Browser",
      `${browser} ${version}, ${headless ? "headless" : "with a window"}`,
    ],
    ["Screen", `${screen.width} \u00d7 ${screen.height}`],
    ...proxy ? [["Proxy", proxy.proxy_url]] satisfies Row[] : [],
    ...session.arguments.length > 0
      ? [["Arguments", session.arguments.join(" ")]] satisfies Row[]
      : [],
    ...Object.keys(labels).length > 0
      ? [["Labels", <Labels key="labels" labels={labels} />]] satisfies Row[]
      : [],
  ];
}

function listPlaces(
  session: SessionWire,
  { pools, workers }: Places,
): readonly Row[] {
  const { work_pool_id, worker_id, owner, priority, warm } = session;
  const pool = pools.find(({ id }) => id === work_pool_id);
  const worker = workers.find(({ id }) => id === worker_id);
  const link = (path: string, text: string) =>
    isAdmin() ? <a key={path} href={buildHref(path)}>{text}</a> : text;
  return [
    ["Pool", link(`pools/${work_pool_id}`, pool?.name ?? work_pool_id)],
    ...worker_id !== null
      ? [[
        "Worker",
        link(`workers/${worker_id}`, worker?.name ?? worker_id),
      ]] satisfies Row[]
      : [],
    ["Owner", owner],
    ["Priority", priority],
    ["Warm", warm ? "yes" : "no"],
  ];
}

function listTimes(session: SessionWire): readonly Row[] {
  const { created_at, started_at, ended_at, expires_at, idle_since } = session;
  return [
    ["Created", <Moment key="created" at={created_at} />],
    [
      "Waited",
      <Span key="waited" from={created_at} to={started_at ?? ended_at} />,
    ],
    ...started_at !== null
      ? [[
        isLive(session) ? "Runs since" : "Ran",
        <Span key="ran" from={started_at} to={ended_at} />,
      ]] satisfies Row[]
      : [],
    ...isLive(session)
      ? [["Expires", <Moment key="expires" at={expires_at} />]] satisfies Row[]
      : [],
    ...idle_since !== null
      ? [["Idle for", <Age key="idle" at={idle_since} />]] satisfies Row[]
      : [],
    ...session.idle_timeout_seconds !== null
      ? [[
        "Idle timeout",
        formatDuration(session.idle_timeout_seconds * 1_000),
      ]] satisfies Row[]
      : [],
  ];
}

function listProvider(
  { provider, reach, container_id, details, trace_id }: SessionWire,
): readonly Row[] {
  return [
    ["Provider", provider],
    ...reach !== null ? [["Reached", reach]] satisfies Row[] : [],
    ...container_id !== null
      ? [["Container", container_id.slice(0, 12)]] satisfies Row[]
      : [],
    ...Object.entries(details).map(([name, value]): Row => [
      name.replaceAll("_", " "),
      value,
    ]),
    ...trace_id !== null ? [["Trace", trace_id]] satisfies Row[] : [],
  ];
}
