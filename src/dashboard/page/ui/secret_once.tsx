import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Command } from "./notice.tsx";

/** A secret that is shown this one time, with a button that copies it. */
export function SecretOnce(
  { title, secret, children }: {
    readonly title: string;
    readonly secret: string;
    readonly children: ComponentChildren;
  },
): VNode {
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => panel.current?.focus(), []);
  return (
    <div
      class="panel secret-once"
      ref={panel}
      tabIndex={-1}
      role="group"
      aria-label={title}
    >
      <h2>{title}</h2>
      <p>{children}</p>
      <Command text={secret} />
    </div>
  );
}
