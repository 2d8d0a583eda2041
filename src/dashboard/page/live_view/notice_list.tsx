import type { VNode } from "preact";
import { now } from "../live/now.ts";
import { CloseIcon } from "./icons.tsx";
import type { Notices } from "./connection/notices.ts";

/** The current notices. */
export function NoticeList({ notices }: { readonly notices: Notices }): VNode {
  const current = notices.list.value.filter(({ until }) => until > now.value);
  return (
    <ul class="live-notices" aria-live="polite" aria-label="Notices">
      {current.map(({ id, message }) => (
        <li key={id}>
          {message}
          <button
            type="button"
            class="small"
            aria-label="Dismiss"
            onClick={() => notices.remove(id)}
          >
            <CloseIcon />
          </button>
        </li>
      ))}
    </ul>
  );
}
