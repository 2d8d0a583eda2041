import type { VNode } from "preact";
import type { SessionWire } from "../../../client/client.ts";
import { isKeyRequired } from "../api/access.ts";
import { SnippetTabs } from "./snippet_tabs.tsx";
import { createGridSnippets, createSnippets } from "./snippets.ts";

/** Programs that connect to the session, ready to copy. */
export function ConnectSnippets(
  { session }: { readonly session: SessionWire },
): VNode {
  return (
    <>
      <SnippetTabs snippets={createSnippets(session)} />
      <KeyNote />
    </>
  );
}

/** Programs that request a browser of a pool by connecting, ready to copy. */
export function PoolSnippets({ pool }: { readonly pool: string }): VNode {
  return (
    <>
      <SnippetTabs
        snippets={createGridSnippets({ pool, hasKey: isKeyRequired() })}
      />
      <KeyNote />
    </>
  );
}

function KeyNote(): VNode | null {
  return isKeyRequired()
    ? (
      <p class="dim">
        The program reads its key from the variable{" "}
        <code>BROWSERGRID_API_KEY</code>.
      </p>
    )
    : null;
}
