import type { ComponentChildren, VNode } from "preact";
import { useId } from "preact/hooks";

/** A part of a page with a heading. */
export function Section(
  { title, aside, className = "", children }: {
    readonly title: string;
    /** Content at the end of the heading's line. */
    readonly aside?: ComponentChildren;
    readonly className?: string;
    readonly children: ComponentChildren;
  },
): VNode {
  const id = useId();
  return (
    <section class={`panel ${className}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** A table in a frame that scrolls where it is too wide. */
export function Table(
  { label, head, children }: {
    readonly label: string;
    readonly head: readonly Column[];
    readonly children: ComponentChildren;
  },
): VNode {
  return (
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map(({ title, className = "" }) => (
              <th scope="col" key={title} class={className}>{title}</th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

/** A column of a table. */
export interface Column {
  readonly title: string;
  /** `wide`: hidden on phones; `number`: aligned at its end. */
  readonly className?: string;
}
