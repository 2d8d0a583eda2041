import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import type { LiveTab } from "../../../apps/live/schemas/live_messages.ts";
import type { Viewer } from "./connection/viewer.ts";

/** Id of the element that shows the current tab. */
export const STAGE_ID = "live-stage";

/** The pages of the browser. */
export function TabStrip(
  { viewer }: { readonly viewer: Viewer },
): VNode | null {
  const list = useRef<HTMLDivElement>(null);
  const { tabs, current } = viewer.tabs.value ?? { tabs: [], current: null };
  if (tabs.length === 0) return null;
  function show(tab: LiveTab | undefined): void {
    if (tab) viewer.send({ type: "tab", id: tab.id });
  }
  function move(event: KeyboardEvent): void {
    const target = findTarget(event.key, currentAt(), tabs.length);
    if (target === undefined) return;
    event.preventDefault();
    show(tabs[target]);
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[target]?.focus();
  }
  function currentAt(): number {
    return Math.max(0, tabs.findIndex(({ id }) => id === current));
  }
  return (
    <div
      ref={list}
      class="live-tabs"
      role="tablist"
      aria-label="Tabs of the browser"
      onKeyDown={move}
    >
      {tabs.map((tab, at) => (
        <button
          type="button"
          key={tab.id}
          role="tab"
          aria-selected={tab.id === current}
          aria-controls={STAGE_ID}
          tabIndex={at === currentAt() ? 0 : -1}
          title={tab.url}
          class={tab.is_visible ? "" : "in-background"}
          onClick={() => show(tab)}
        >
          {renderTitle(tab)}
        </button>
      ))}
    </div>
  );
}

/** Returns the title of a page, or what stands for it. */
export function renderTitle({ title, url }: LiveTab): string {
  return title || url.replace(/^https?:\/\//, "") || "Empty page";
}

/** Returns the position of the tab that a key of the keyboard leads to. */
function findTarget(
  key: string,
  at: number,
  count: number,
): number | undefined {
  switch (key) {
    case "ArrowRight":
      return (at + 1) % count;
    case "ArrowLeft":
      return (at + count - 1) % count;
    case "Home":
      return 0;
    case "End":
      return count - 1;
  }
}
