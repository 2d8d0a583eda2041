import { parseAccept } from "hono/utils/accept";

/** Media type of OpenMetrics. */
export const OPENMETRICS = "application/openmetrics-text";

/** The Content-Type of each text format. */
export const CONTENT_TYPES = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: `${OPENMETRICS}; version=1.0.0; charset=utf-8`,
} as const;

/** A form in which metrics are written. */
export type TextFormat = keyof typeof CONTENT_TYPES;

/** Returns OpenMetrics if a scraper names it and does not prefer plain text. */
export function chooseFormat(accept: string): TextFormat {
  const accepted = parseAccept(accept);
  const qOf = (...types: readonly string[]) =>
    accepted.find(({ type }) => types.includes(type.toLowerCase()))?.q ?? 0;
  const q = qOf(OPENMETRICS);
  return q > 0 && q >= qOf("text/plain", "text/*")
    ? "openmetrics"
    : "prometheus";
}
