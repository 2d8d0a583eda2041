import type { VNode } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { Modal } from "./modal.tsx";
import type { Viewer } from "../connection/viewer.ts";

/** Puts the selected text of the page into the visitor's clipboard, or shows it where that is not permitted. */
export function CopiedText(
  { viewer }: { readonly viewer: Viewer },
): VNode | null {
  const copied = viewer.copied.value;
  const id = useId();
  const [shown, setShown] = useState<string>();
  useEffect(() => {
    if (copied === undefined) return;
    viewer.copied.value = undefined;
    void receive(copied, viewer).then(setShown);
  }, [copied]);
  if (shown === undefined) return null;
  const close = () => setShown(undefined);
  return (
    <Modal title="Copied from the page" onCancel={close}>
      <label for={id}>
        This browser does not let the page write to your clipboard: copy the
        text from here.
      </label>
      <textarea
        id={id}
        name="copied"
        rows={5}
        readOnly
        autoFocus
        value={shown}
        onFocus={(event) => event.currentTarget.select()}
      />
      <div class="actions">
        <button type="button" class="primary" onClick={close}>Close</button>
      </div>
    </Modal>
  );
}

/** Returns the text if the clipboard does not take it. */
async function receive(
  text: string,
  { notices }: Viewer,
): Promise<string | undefined> {
  if (text === "") {
    notices.add("page", "Nothing is selected in the page.");
    return undefined;
  }
  try {
    await navigator.clipboard.writeText(text);
    notices.add("page", "Copied to your clipboard.");
    return undefined;
  } catch {
    return text;
  }
}
