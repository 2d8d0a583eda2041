import { useEffect, useRef, useState } from "preact/hooks";
import type { Point } from "./connection/picture.ts";
import type { Viewer } from "./connection/viewer.ts";

/** Pause after the last change of the size before the server learns of it. */
const SETTLE_MS = 200;

/** Highest rates of pictures in a second. */
const VIEWING_FPS = 10;

const CONTROLLING_FPS = 25;

/** Sizes that the server accepts, in pixels. */
const MIN_PX = 16;

const MAX_PX = 8_192;

/** Returns the size of an element in CSS pixels, as it changes. */
export function useArea(
  element: { readonly current: HTMLElement | null },
): Point | undefined {
  const [area, setArea] = useState<Point>();
  useEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => {
      if (!entry) return;
      const { width, height } = entry.contentRect;
      if (width > 0 && height > 0) setArea({ x: width, y: height });
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return area;
}

/** Sends the size and the rate at which this viewer shows pictures, after each change. */
export function useViewSize(viewer: Viewer, area: Point | undefined): void {
  const isOpen = viewer.connection.value.state === "open";
  const isControlling = viewer.isControlling.value;
  const phase = useRef<"new" | "sent">("new");
  useEffect(() => {
    if (!isOpen) phase.current = "new";
    if (!isOpen || !area) return;
    const timer = setTimeout(() => {
      phase.current = "sent";
      viewer.send({
        type: "view",
        width: toPixels(area.x),
        height: toPixels(area.y),
        max_fps: isControlling ? CONTROLLING_FPS : VIEWING_FPS,
      });
    }, phase.current === "sent" ? SETTLE_MS : 0);
    return () => clearTimeout(timer);
  }, [viewer, isOpen, isControlling, area?.x, area?.y]);
}

/** Stops the pictures while the page is in the background or the element is not in sight. */
export function useVisibility(
  viewer: Viewer,
  element: { readonly current: HTMLElement | null },
): void {
  useEffect(() => {
    if (!element.current) return;
    let isInSight = true;
    function update(): void {
      viewer.painter.isPaused = document.hidden || !isInSight;
    }
    const observer = new IntersectionObserver(([entry]) => {
      isInSight = entry?.isIntersecting ?? true;
      update();
    });
    observer.observe(element.current);
    document.addEventListener("visibilitychange", update);
    return () => {
      observer.disconnect();
      document.removeEventListener("visibilitychange", update);
    };
  }, [viewer]);
}

function toPixels(length: number): number {
  const pixels = Math.round(length * devicePixelRatio);
  return Math.min(Math.max(pixels, MIN_PX), MAX_PX);
}
