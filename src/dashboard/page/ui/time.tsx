import { useComputed } from "@preact/signals";
import type { VNode } from "preact";
import { formatAge, formatDateTime, formatDuration } from "../format.ts";
import { now } from "../live/now.ts";

/** Time since a moment, which goes on. The moment is shown on hover. */
export function Age(
  { at, suffix = "" }: { readonly at: string; readonly suffix?: string },
): VNode {
  const time = Date.parse(at);
  // Of a list of ages, only the texts that differ are changed every second.
  const text = useComputed(() => formatAge(now.value - time));
  return (
    <time dateTime={at} title={formatDateTime(time)}>
      {text}
      {suffix}
    </time>
  );
}

/** Time from one moment to another, or until now. If short, in its largest unit only. */
export function Span(
  { from, to, isShort = false }: {
    readonly from: string;
    readonly to: string | null;
    readonly isShort?: boolean;
  },
): VNode {
  const text = useComputed(() => {
    const ms = (to === null ? now.value : Date.parse(to)) - Date.parse(from);
    return isShort ? formatAge(ms) : formatDuration(ms);
  });
  return <>{text}</>;
}

/** A moment in the visitor's time zone. */
export function Moment({ at }: { readonly at: string }): VNode {
  return <time dateTime={at}>{formatDateTime(Date.parse(at))}</time>;
}
