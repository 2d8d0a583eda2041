import type { VNode } from "preact";
import { setQuery } from "../routing.ts";

/** Buttons to the newest and to older items of a list whose cursor is in the URL. */
export function Pages(
  { cursor, next }: {
    readonly cursor: string | undefined;
    readonly next: string | undefined;
  },
): VNode | null {
  if (cursor === undefined && next === undefined) return null;
  return (
    <nav class="pages" aria-label="Pages of the list">
      <button
        type="button"
        disabled={cursor === undefined}
        onClick={() => setQuery({ cursor: undefined })}
      >
        Newest
      </button>
      <button
        type="button"
        disabled={next === undefined}
        onClick={() => setQuery({ cursor: next })}
      >
        Older
      </button>
    </nav>
  );
}
