import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { formatMinute, formatTick, formatTime } from "../format.ts";

/** A row of values in a chart. */
export interface Series {
  readonly label: string;
  /** Name of a colour of the style sheet, such as `good`. */
  readonly color: string;
  readonly values: readonly (number | null)[];
}

/** Content of a chart. */
export interface ChartProps {
  /** Name for people who do not see it. */
  readonly label: string;
  /** Times in ms since the epoch, in order. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly kind: "bars" | "lines";
  readonly height?: number;
  readonly format: (value: number) => string;
}

/** Height of a chart in pixels. */
const HEIGHT = 150;

/** Least distance of two times on the axis in pixels. */
const MIN_TICK_WIDTH = 64;

const darkScheme = matchMedia("(prefers-color-scheme: dark)");

/** A chart over time, with the values at the pointer, or the last ones, in its legend. */
export function Chart(props: ChartProps): VNode {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [isDark, setDark] = useState(darkScheme.matches);
  const [at, setAt] = useState<number | null>(null);
  useEffect(() => {
    const onChange = () => setDark(darkScheme.matches);
    darkScheme.addEventListener("change", onChange);
    return () => darkScheme.removeEventListener("change", onChange);
  }, []);
  useEffect(() => {
    const { current } = frame;
    if (!current) return;
    const made = new uPlot(
      createOptions(props, { width: current.clientWidth, setAt }),
      toData(props),
      current,
    );
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: current.clientWidth, height: findHeight(props) })
    );
    observer.observe(current);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [isDark, props.series.length]);
  useEffect(() => plot.current?.setData(toData(props)), [
    props.times,
    ...props.series.map(({ values }) => values),
  ]);
  return (
    <figure class="chart">
      <figcaption>
        {props.series.map((series) => (
          <span key={series.label}>
            <i class={`swatch ${series.color}`} />
            {series.label} <b>{renderValue(series, at, props)}</b>
          </span>
        ))}
        {at !== null && <span class="chart-time">{renderTime(at, props)}</span>}
      </figcaption>
      <div ref={frame} role="img" aria-label={props.label} />
    </figure>
  );
}

function renderValue(
  { values }: Series,
  at: number | null,
  { format, kind }: ChartProps,
): string {
  if (at === null && kind === "bars") {
    return format(values.reduce<number>((sum, each) => sum + (each ?? 0), 0));
  }
  const value = values[at ?? values.length - 1];
  return value === null || value === undefined ? "\u2013" : format(value);
}

function renderTime(at: number, { times, kind }: ChartProps): string {
  const time = times[at];
  if (time === undefined) return "";
  return kind === "bars" ? formatMinute(time) : formatTime(time);
}

function toData({ times, series, kind }: ChartProps): uPlot.AlignedData {
  const rows = series.map(({ values }) => [...values]);
  return [
    times.map((time) => time / 1_000),
    ...(kind === "bars" ? stack(rows) : rows),
  ];
}

/** Adds to each row those after it, whose bars stand in front of its own. */
function stack(
  rows: readonly (number | null)[][],
): readonly (number | null)[][] {
  return rows.map((row, index) =>
    row.map((_, at) =>
      rows.slice(index).reduce((sum, each) => sum + (each[at] ?? 0), 0)
    )
  );
}

function findHeight({ height = HEIGHT }: ChartProps): number {
  return height;
}

function readColor(name: string): string {
  return getComputedStyle(document.documentElement)
    .getPropertyValue(`--${name}`).trim();
}

function createOptions(
  props: ChartProps,
  { width, setAt }: {
    readonly width: number;
    readonly setAt: (at: number | null) => void;
  },
): uPlot.Options {
  const { kind, series, format } = props;
  const axis = {
    stroke: readColor("text-dim"),
    font: "11px system-ui, sans-serif",
    grid: { stroke: readColor("line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: findHeight(props),
    legend: { show: false },
    cursor: {
      y: false,
      points: { show: kind === "lines" },
      drag: { x: false },
    },
    hooks: { setCursor: [({ cursor }) => setAt(cursor.idx ?? null)] },
    scales: { y: { range: (_, __, max) => [0, findTop(max)] } },
    axes: [
      {
        ...axis,
        size: 28,
        grid: { show: false },
        space: MIN_TICK_WIDTH,
        values: (_, all, __, ___, step) =>
          all.map((seconds) => formatTick(seconds * 1_000, step * 1_000)),
      },
      {
        ...axis,
        size: kind === "bars" ? 36 : 56,
        values: (_, all) =>
          all.map((value) =>
            kind === "bars" && value % 1 !== 0 ? "" : format(value)
          ),
      },
    ],
    series: [
      {},
      ...series.map(({ label, color }) => createSeries(kind, label, color)),
    ],
  };
}

/** Returns the top of the scale: also a chart without values has one. */
function findTop(max: number | null): number {
  return max === null || max <= 0 ? 4 : max * 1.1;
}

function createSeries(
  kind: ChartProps["kind"],
  label: string,
  color: string,
): uPlot.Series {
  const stroke = readColor(color);
  const { bars } = uPlot.paths;
  return kind === "bars" && bars
    ? {
      label,
      stroke,
      fill: stroke,
      width: 0,
      points: { show: false },
      paths: bars({ size: [0.8, 12], gap: 1 }),
    }
    : {
      label,
      stroke,
      width: 1.5,
      points: { show: false },
      fill: `${stroke}18`,
    };
}
