import type { VNode } from "preact";
import { useId, useState } from "preact/hooks";
import type { SessionWire } from "../../../client/client.ts";
import { isKeyRequired } from "../api/access.ts";
import { CopyButton } from "../ui/copy_button.tsx";
import { createSnippets, type Snippet } from "./snippets.ts";

/** Programs that connect to the session, ready to copy. */
export function ConnectSnippets(
  { session }: { readonly session: SessionWire },
): VNode {
  const snippets = createSnippets(session);
  const [chosen = snippets[0], setChosen] = useState<Snippet>();
  const shown = snippets.find(({ title }) => title === chosen?.title);
  const panelId = useId();
  return (
    <>
      <div class="tab-row">
        <div class="tabs" role="group" aria-label="Program">
          {snippets.map((snippet) => (
            <button
              key={snippet.title}
              type="button"
              aria-pressed={snippet.title === shown?.title}
              aria-controls={panelId}
              onClick={() => setChosen(snippet)}
            >
              {snippet.title}
            </button>
          ))}
        </div>
        {shown && <CopyButton key={shown.title} text={shown.text} />}
      </div>
      <div id={panelId} class="code">
        <pre><code>{shown?.text}</code></pre>
      </div>
      {isKeyRequired() && (
        <p class="dim">
          The program reads its key from the variable{" "}
          <code>BROWSERGRID_API_KEY</code>.
        </p>
      )}
    </>
  );
}
