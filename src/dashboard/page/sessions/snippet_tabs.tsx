import type { VNode } from "preact";
import { useId, useState } from "preact/hooks";
import { CopyButton } from "../ui/copy_button.tsx";
import type { Snippet } from "./snippets.ts";

/** Programs to copy, of which one is shown. */
export function SnippetTabs(
  { snippets }: { readonly snippets: readonly Snippet[] },
): VNode {
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
    </>
  );
}
