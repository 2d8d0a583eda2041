import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { EndNote } from "./end_note.tsx";
import { FilePrompt } from "./prompts/file_prompt.tsx";
import { focusControls, isTouchDevice } from "./input/focus_keyboard.ts";
import { bindKeyboard } from "./input/keyboard_input.ts";
import { bindMouse } from "./input/mouse_input.ts";
import { NoticeList } from "./notice_list.tsx";
import { DialogNote, DialogPrompt } from "./prompts/page_dialog.tsx";
import { fit, type Point } from "./connection/picture.ts";
import { SelectList } from "./prompts/select_list.tsx";
import { renderTitle, STAGE_ID } from "./tab_strip.tsx";
import { bindTouch } from "./input/touch_input.ts";
import { useArea, useViewSize, useVisibility } from "./use_area.ts";
import type { Viewer } from "./connection/viewer.ts";

/** Ratio of the stage before the first picture. */
const FIRST_SIZE: Point = { x: 1280, y: 720 };

/** The picture of the current tab, with what the page shows over it. */
export function Stage({ viewer }: { readonly viewer: Viewer }): VNode {
  const stage = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const keyboard = useRef<HTMLTextAreaElement>(null);
  const area = useArea(stage);
  useViewSize(viewer, area);
  useVisibility(viewer, stage);
  useEffect(() => {
    viewer.painter.canvas = canvas.current ?? undefined;
    return () => viewer.painter.canvas = undefined;
  }, [viewer]);
  const isControlling = viewer.isControlling.value;
  useInput(viewer, canvas, keyboard);
  const picture = viewer.painter.shown.value;
  // The page's size, as the picture's is rounded and would change with the stage.
  const content = picture
    ? { x: picture.width, y: picture.height }
    : FIRST_SIZE;
  const size = fit(content, area ?? content);
  const isLost = viewer.connection.value.state !== "open";
  return (
    <div
      ref={stage}
      id={STAGE_ID}
      class={`live-stage ${isLost ? "lost" : ""}`}
      role="tabpanel"
      aria-label="Page"
      style={{ "--ratio": `${content.x} / ${content.y}` }}
    >
      <div
        class="live-frame"
        style={{ width: `${size.x}px`, height: `${size.y}px` }}
      >
        <canvas
          ref={canvas}
          role="img"
          aria-label={describePicture(viewer)}
          width={1}
          height={1}
        />
        {isControlling && (
          <textarea
            ref={keyboard}
            class="live-keyboard"
            aria-label="Keyboard of the page. Shift+Escape leaves it."
            aria-multiline="true"
            autocomplete="off"
            autocapitalize="off"
            autocorrect="off"
            spellcheck={false}
            inputMode={isTouchDevice() ? "none" : "text"}
          />
        )}
        {isControlling && picture && (
          <SelectList viewer={viewer} shown={size} head={picture} />
        )}
      </div>
      {isControlling
        ? (
          <>
            <DialogPrompt viewer={viewer} />
            <FilePrompt viewer={viewer} />
          </>
        )
        : <DialogNote viewer={viewer} />}
      <EndNote viewer={viewer} />
      <NoticeList notices={viewer.notices} />
    </div>
  );
}

/** Connects the visitor's mouse, touches and keyboard with the page while this viewer has control. */
function useInput(
  viewer: Viewer,
  canvas: { readonly current: HTMLCanvasElement | null },
  keyboard: { readonly current: HTMLTextAreaElement | null },
): void {
  const isControlling = viewer.isControlling.value;
  useEffect(() => {
    if (!isControlling || !canvas.current || !keyboard.current) return;
    const target = {
      viewer,
      canvas: canvas.current,
      keyboard: keyboard.current,
    };
    const controller = new AbortController();
    const { signal } = controller;
    bindMouse(target, signal);
    bindTouch(target, signal);
    bindKeyboard(target, { signal, onLeave: focusControls });
    target.keyboard.focus({ preventScroll: true });
    return () => controller.abort();
  }, [viewer, isControlling]);
}

function describePicture(viewer: Viewer): string {
  const { tabs, current } = viewer.tabs.value ?? { tabs: [], current: null };
  const tab = tabs.find(({ id }) => id === current);
  return tab ? `Picture of the page ${renderTitle(tab)}` : "Picture of a page";
}
