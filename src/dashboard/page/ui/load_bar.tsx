import type { VNode } from "preact";

/** A share of a capacity as numbers and as a bar. Without a capacity there is no bar. */
export function LoadBar(
  { used, of: capacity }: {
    readonly used: number;
    readonly of: number | null;
  },
): VNode {
  const share = capacity ? Math.min(1, used / capacity) : 0;
  const tone = share >= 1 ? "full" : "";
  return (
    <span class="load">
      <span class="load-bar" aria-hidden="true">
        <span class={tone} style={{ width: `${share * 100}%` }} />
      </span>
      <span class="load-text">{used} / {capacity ?? "\u221e"}</span>
    </span>
  );
}
