import type { ComponentChildren, VNode } from "preact";
import { CopyButton } from "./copy_button.tsx";

/** A sentence about something that went wrong. */
export function Fault(
  { message }: { readonly message: string | undefined },
): VNode | null {
  return message === undefined
    ? null
    : <p class="fault" role="alert">{message}</p>;
}

/** An empty list, with what fills it and the command for that. */
export function Empty(
  { title, command, children }: {
    readonly title: string;
    readonly command?: string;
    readonly children?: ComponentChildren;
  },
): VNode {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <p>{children}</p>}
      {command !== undefined && <Command text={command} />}
    </div>
  );
}

/** A command with a button that copies it. */
export function Command({ text }: { readonly text: string }): VNode {
  return (
    <div class="code">
      <pre><code>{text}</code></pre>
      <CopyButton text={text} />
    </div>
  );
}

/** The place of something that is not loaded yet. */
export function Loading(): VNode {
  return <p class="loading" role="status">Loading&hellip;</p>;
}
