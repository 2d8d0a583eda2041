import type {
  HistogramSample,
  Metric,
} from "../../core/metrics/declaration.ts";
import type { TextFormat } from "./format.ts";

/** Label whose values are ids of work pools, which are written as names. */
const POOL_LABEL = "pool";

/** Options of {@linkcode renderMetrics}. */
export interface RenderOptions {
  readonly format: TextFormat;
  /** Returns the name of a work pool; series of pools without a name are left out. */
  readonly poolName: (id: string) => string | undefined;
}

/**
 * Renders metrics as text. Those without values are left out.
 *
 * @see {@link https://prometheus.io/docs/instrumenting/exposition_formats/}
 * @see {@link https://prometheus.io/docs/specs/om/open_metrics_spec/}
 */
export function renderMetrics(
  metrics: Iterable<Metric>,
  options: RenderOptions,
): string {
  const lines: string[] = [];
  for (const metric of metrics) {
    const values = renderValues(metric, options);
    if (values.length > 0) {
      lines.push(...renderHead(metric, options.format), ...values);
    }
  }
  if (options.format === "openmetrics") lines.push("# EOF");
  return lines.map((line) => `${line}\n`).join("");
}

function renderHead(
  { declaration: { name, help, scope }, type }: Metric,
  format: TextFormat,
): readonly string[] {
  // In OpenMetrics, the suffix of a counter belongs to its samples.
  const family = format === "openmetrics" && type === "counter"
    ? name.slice(0, -"_total".length)
    : name;
  const whose = scope === "grid"
    ? "the same on every server"
    : "of this server";
  return [
    `# HELP ${family} ${escapeHelp(`${help} (${whose})`, format)}`,
    `# TYPE ${family} ${type}`,
  ];
}

function renderValues(
  metric: Metric,
  { poolName }: RenderOptions,
): readonly string[] {
  const { name, labels } = metric.declaration;
  const names = Object.keys(labels);
  const poolAt = names.indexOf(POOL_LABEL);
  /** Returns the labels of a series as text; undefined if its pool no longer exists. */
  const renderLabels = (values: readonly string[]) => {
    const pool = poolAt < 0 ? "" : poolName(values[poolAt] ?? "");
    if (pool === undefined) return undefined;
    return names.map((label, at) =>
      `${label}="${escape(at === poolAt ? pool : values[at] ?? "")}"`
    ).join(",");
  };
  const lines: string[] = [];
  if (metric.type === "histogram") {
    for (const sample of metric.read()) {
      const text = renderLabels(sample.labels);
      if (text === undefined) continue;
      lines.push(...renderHistogram(name, text, sample, metric.bounds));
    }
  } else {
    for (const { labels, value } of metric.read()) {
      const text = renderLabels(labels);
      if (text === undefined) continue;
      lines.push(`${name}${text && `{${text}}`} ${renderNumber(value)}`);
    }
  }
  return lines;
}

function renderHistogram(
  name: string,
  labels: string,
  { counts, sum }: HistogramSample,
  bounds: readonly number[],
): readonly string[] {
  const before = labels && `${labels},`;
  let total = 0;
  const buckets = [...bounds.map(renderBound), "+Inf"].map((bound, at) => {
    total += counts[at] ?? 0;
    return `${name}_bucket{${before}le="${bound}"} ${total}`;
  });
  const own = labels && `{${labels}}`;
  return [
    ...buckets,
    `${name}_sum${own} ${renderNumber(sum)}`,
    `${name}_count${own} ${total}`,
  ];
}

/** Renders a bound as OpenMetrics requires it, so that a bucket is the same series in both formats. */
function renderBound(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function renderNumber(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  '"': '\\"',
};

function escape(text: string): string {
  return text.replaceAll(/[\\\n"]/g, (each) => ESCAPES[each] ?? each);
}

/** Escapes a help text. Prometheus rejects an escaped quotation mark there, and OpenMetrics requires it. */
function escapeHelp(text: string, format: TextFormat): string {
  const escaped = escape(text);
  return format === "openmetrics" ? escaped : escaped.replaceAll('\\"', '"');
}
