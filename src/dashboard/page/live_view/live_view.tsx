import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ControlBar } from "./control_bar.tsx";
import { CopiedText } from "./prompts/copied_text.tsx";
import { HandoverBanner } from "./handover_banner.tsx";
import { NavigationBar } from "./navigation_bar.tsx";
import { Stage } from "./stage.tsx";
import { StateLine } from "./state_line.tsx";
import { TabStrip } from "./tab_strip.tsx";
import { Viewer, type ViewerOptions } from "./connection/viewer.ts";

/** A browser as it is now, and its controls for visitors who may take control. */
export function LiveView(
  { options, layout }: {
    /** Its connection; later changes have no effect. */
    readonly options: ViewerOptions;
    /** `full`: as large as the window. */
    readonly layout: "embedded" | "full";
  },
): VNode {
  const [viewer] = useState(() => new Viewer(options));
  useEffect(() => viewer.start(), [viewer]);
  const isControlling = viewer.isControlling.value;
  return (
    <div class={`live-view ${layout} ${isControlling ? "controlling" : ""}`}>
      <TabStrip viewer={viewer} />
      {isControlling && <NavigationBar viewer={viewer} />}
      <HandoverBanner viewer={viewer} />
      <Stage viewer={viewer} />
      <footer class="live-foot">
        <StateLine viewer={viewer} />
        <ControlBar viewer={viewer} />
      </footer>
      <CopiedText viewer={viewer} />
    </div>
  );
}
