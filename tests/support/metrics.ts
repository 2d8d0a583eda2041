import assert from "node:assert/strict";
import type { TestGrid } from "./grid.ts";

/** The values of a scrape by their series, such as `browsergrid_workers{pool="a",status="online"}`. */
export type Scraped = ReadonlyMap<string, number>;

/** Scrapes a grid, and returns the text. */
export async function readMetrics(
  grid: Pick<TestGrid, "request">,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const response = await grid.request("/metrics", { headers });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return text;
}

/** Returns the values of a scrape. */
export function parseMetrics(text: string): Scraped {
  const lines = text.split("\n").filter((line) => line && line[0] !== "#");
  return new Map(lines.map((line) => {
    const at = line.lastIndexOf(" ");
    return [line.slice(0, at), Number(line.slice(at + 1))];
  }));
}

/** Scrapes a grid, and returns the values. */
export async function scrape(
  grid: Pick<TestGrid, "request">,
  headers?: Readonly<Record<string, string>>,
): Promise<Scraped> {
  return parseMetrics(await readMetrics(grid, headers));
}
