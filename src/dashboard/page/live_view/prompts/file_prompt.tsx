import type { VNode } from "preact";
import { useId, useState } from "preact/hooks";
import {
  MAX_FILES,
  MAX_UPLOAD_BYTES,
} from "../../../../apps/live/schemas/live_messages.ts";
import { Fault } from "../../ui/notice.tsx";
import { Modal } from "./modal.tsx";
import type { Viewer } from "../connection/viewer.ts";

const MEBIBYTE = 1024 * 1024;

/** The choice of files for the page, from the visitor's machine. */
export function FilePrompt(
  { viewer }: { readonly viewer: Viewer },
): VNode | null {
  const chooser = viewer.fileChooser.value;
  const id = useId();
  const [files, setFiles] = useState<readonly File[]>([]);
  if (!chooser) return null;
  const fault = findFault(files);
  function give(files: readonly File[]): void {
    setFiles([]);
    viewer.sendFiles(files);
  }
  return (
    <Modal
      key={chooser.id}
      title={chooser.is_multiple
        ? "The page asks for files"
        : "The page asks for a file"}
      onCancel={() => give([])}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (fault === undefined && files.length > 0) give(files);
        }}
      >
        <label for={id}>
          {chooser.is_multiple
            ? "Files of this machine"
            : "A file of this machine"}
        </label>
        <input
          id={id}
          type="file"
          name="files"
          accept={chooser.accept || undefined}
          multiple={chooser.is_multiple}
          autoFocus
          onChange={(event) => setFiles([...event.currentTarget.files ?? []])}
        />
        <Fault message={fault} />
        <div class="actions">
          <button type="button" onClick={() => give([])}>Cancel</button>
          <button
            type="submit"
            class="primary"
            disabled={files.length === 0 || fault !== undefined}
          >
            Give to the page
          </button>
        </div>
      </form>
    </Modal>
  );
}

function findFault(files: readonly File[]): string | undefined {
  if (files.length > MAX_FILES) {
    return `These are ${files.length} files, and ${MAX_FILES} can be given at once.`;
  }
  const large = files.find(({ size }) => size > MAX_UPLOAD_BYTES);
  return large &&
    `"${large.name}" is larger than ${MAX_UPLOAD_BYTES / MEBIBYTE} MiB.`;
}
