import type { ComponentChildren, VNode } from "preact";

function Icon({ children }: { readonly children: ComponentChildren }): VNode {
  return (
    <svg
      class="icon"
      viewBox="0 0 16 16"
      width="16"
      height="16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

/** An arrow to the left. */
export function BackIcon(): VNode {
  return (
    <Icon>
      <path d="M13 8H3M7.5 3.5 3 8l4.5 4.5" />
    </Icon>
  );
}

/** An arrow to the right. */
export function ForwardIcon(): VNode {
  return (
    <Icon>
      <path d="M3 8h10M8.5 3.5 13 8l-4.5 4.5" />
    </Icon>
  );
}

/** An arrow in a circle. */
export function ReloadIcon(): VNode {
  return (
    <Icon>
      <path d="M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3" />
    </Icon>
  );
}

/** A plus. */
export function NewIcon(): VNode {
  return (
    <Icon>
      <path d="M8 3v10M3 8h10" />
    </Icon>
  );
}

/** A cross. */
export function CloseIcon(): VNode {
  return (
    <Icon>
      <path d="m4 4 8 8M12 4l-8 8" />
    </Icon>
  );
}

/** A keyboard. */
export function KeyboardIcon(): VNode {
  return (
    <Icon>
      <rect x="1.5" y="4" width="13" height="8" rx="1.5" />
      <path d="M4 6.8h.01M6.7 6.8h.01M9.3 6.8h.01M12 6.8h.01M5 9.5h6" />
    </Icon>
  );
}
