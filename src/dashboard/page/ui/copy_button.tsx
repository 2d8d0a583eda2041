import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";

/** Time for which the button says that it has copied. */
const SHOWN_MS = 1_500;

/** A button that copies a text. */
export function CopyButton(
  { text, label = "Copy" }: { readonly text: string; readonly label?: string },
): VNode {
  const [result, setResult] = useState<string>();
  useEffect(() => {
    if (result === undefined) return;
    const timer = setTimeout(() => setResult(undefined), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [result]);
  return (
    <button
      type="button"
      class="small copy"
      onClick={async () => setResult(await copy(text))}
    >
      <span aria-live="polite">{result ?? label}</span>
    </button>
  );
}

/** Returns the word for the outcome. Browsers have a clipboard only on https and on this machine. */
async function copy(text: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied";
  } catch {
    return copyBySelection(text) ? "Copied" : "Select it to copy";
  }
}

function copyBySelection(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "offscreen";
  document.body.append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } finally {
    area.remove();
  }
}
