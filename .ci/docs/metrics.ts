import type { Metric } from "../../src/core/metrics/declaration.ts";
import { code, escapeText } from "./markdown.ts";
import { openDefaultGrid } from "./open_grid.ts";

/** Renders the metrics of a server, first those that are the same on every server. */
export async function renderMetrics(): Promise<string> {
  await using grid = await openDefaultGrid();
  // The reconciler declares its own when it starts.
  grid.startBackgroundWork();
  const metrics = [...grid.core.metrics];
  const ofScope = (scope: Metric["declaration"]["scope"]) =>
    metrics.filter(({ declaration }) => declaration.scope === scope)
      .map(renderMetric).join("\n");
  return [
    "### The same on every server",
    ofScope("grid"),
    "### Of each server",
    ofScope("process"),
  ].join("\n\n");
}

function renderMetric({ type, declaration }: Metric): string {
  const { name, help, labels } = declaration;
  const described = Object.entries(labels).map(([label, meaning]) =>
    `${code(label)}: ${escapeText(meaning)}`
  );
  return [`- ${code(name)} (${type}): ${escapeText(help)}`, ...described]
    .join(". ");
}
