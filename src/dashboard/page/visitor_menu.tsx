import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { CallerWire } from "../../apps/keys/schemas.ts";
import { signOut } from "./api/access.ts";
import { describeError } from "./api/describe_error.ts";
import { PREFIX } from "./api/client.ts";
import { Fault } from "./ui/notice.tsx";

/** The menu with the visitor's name and the sign-out. */
export function VisitorMenu(
  { visitor }: { readonly visitor: CallerWire },
): VNode {
  const [error, setError] = useState<string>();
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    function closeOutside(event: Event): void {
      const isInside = event.target instanceof Node &&
        menu.current?.contains(event.target);
      if (menu.current && !isInside) menu.current.open = false;
    }
    document.addEventListener("click", closeOutside);
    return () => document.removeEventListener("click", closeOutside);
  }, []);
  function leave(scope: { readonly everywhere: boolean }): void {
    signOut(scope).catch((cause) => setError(describeError(cause)));
  }
  return (
    <details
      ref={menu}
      class="menu"
      onKeyDown={({ key, currentTarget }) => {
        if (key !== "Escape") return;
        currentTarget.open = false;
        currentTarget.querySelector("summary")?.focus();
      }}
    >
      <summary>
        {visitor.key_required ? visitor.name : "No key needed"}
      </summary>
      <div class="menu-list">
        <p class="dim">
          {visitor.key_required
            ? `Role: ${visitor.role}`
            : "Anyone who reaches this port may use the grid."}
        </p>
        <a href={`${PREFIX}/docs`} target="_blank">API description</a>
        {visitor.signed_in && (
          <>
            <button
              type="button"
              onClick={() => leave({ everywhere: false })}
            >
              Sign out
            </button>
            <button
              type="button"
              onClick={() => leave({ everywhere: true })}
            >
              Sign out everywhere
            </button>
          </>
        )}
        <Fault message={error} />
      </div>
    </details>
  );
}
